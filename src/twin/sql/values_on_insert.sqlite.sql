CREATE TRIGGER IF NOT EXISTS twin_values_on_insert AFTER INSERT ON twins BEGIN
INSERT OR IGNORE INTO twin_numbers (property, value, twin)
SELECT v.num, gm_number(NEW.body, v.path), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND gm_number(NEW.body, v.path) IS NOT NULL;
INSERT OR IGNORE INTO twin_texts (property, value, twin)
SELECT v.num, substr(gm_text(NEW.body, v.path), 1, 100), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND gm_text(NEW.body, v.path) IS NOT NULL;
END
