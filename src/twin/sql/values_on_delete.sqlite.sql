CREATE TRIGGER IF NOT EXISTS twin_values_on_delete AFTER DELETE ON twins BEGIN
DELETE FROM twin_numbers WHERE (property, value, twin) IN
(SELECT v.num, gm_number(OLD.body, v.path), OLD.num FROM value_indexes AS v);
DELETE FROM twin_texts WHERE (property, value, twin) IN
(SELECT v.num, substr(gm_text(OLD.body, v.path), 1, 100), OLD.num FROM value_indexes AS v);
END
