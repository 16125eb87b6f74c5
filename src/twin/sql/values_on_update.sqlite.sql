CREATE TRIGGER IF NOT EXISTS twin_values_on_update AFTER UPDATE OF num, body ON twins
WHEN OLD.num <> NEW.num OR OLD.body <> NEW.body BEGIN
DELETE FROM twin_numbers WHERE (property, value, twin) IN
(SELECT v.num, gm_number(OLD.body, v.path), OLD.num FROM value_indexes AS v
WHERE OLD.num <> NEW.num OR gm_number(OLD.body, v.path) IS NOT gm_number(NEW.body, v.path));
DELETE FROM twin_texts WHERE (property, value, twin) IN
(SELECT v.num, substr(gm_text(OLD.body, v.path), 1, 100), OLD.num FROM value_indexes AS v
WHERE OLD.num <> NEW.num OR gm_text(OLD.body, v.path) IS NOT gm_text(NEW.body, v.path));
INSERT OR IGNORE INTO twin_numbers (property, value, twin)
SELECT v.num, gm_number(NEW.body, v.path), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND gm_number(NEW.body, v.path) IS NOT NULL
AND (OLD.num <> NEW.num OR gm_number(OLD.body, v.path) IS NOT gm_number(NEW.body, v.path));
INSERT OR IGNORE INTO twin_texts (property, value, twin)
SELECT v.num, substr(gm_text(NEW.body, v.path), 1, 100), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND gm_text(NEW.body, v.path) IS NOT NULL
AND (OLD.num <> NEW.num OR gm_text(OLD.body, v.path) IS NOT gm_text(NEW.body, v.path));
END
