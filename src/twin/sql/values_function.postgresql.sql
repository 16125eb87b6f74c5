CREATE OR REPLACE FUNCTION twin_values_follow() RETURNS trigger LANGUAGE plpgsql AS $follow$
BEGIN
IF TG_OP <> 'INSERT' THEN
DELETE FROM twin_numbers AS t USING value_indexes AS v WHERE t.property = v.num AND t.twin = OLD.num
AND t.value = CASE json_typeof(OLD.body #> CAST(v.path AS TEXT[])) WHEN 'number'
THEN CAST(OLD.body #>> CAST(v.path AS TEXT[]) AS NUMERIC) END;
DELETE FROM twin_texts AS t USING value_indexes AS v WHERE t.property = v.num AND t.twin = OLD.num
AND t.value = CASE json_typeof(OLD.body #> CAST(v.path AS TEXT[])) WHEN 'string'
THEN left(OLD.body #>> CAST(v.path AS TEXT[]), 100) END;
END IF;
IF TG_OP <> 'DELETE' THEN
INSERT INTO twin_numbers (property, value, twin)
SELECT v.num, CAST(NEW.body #>> CAST(v.path AS TEXT[]) AS NUMERIC), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND CASE WHEN json_typeof(NEW.body #> CAST(v.path AS TEXT[])) = 'number' THEN TRUE ELSE FALSE END
ON CONFLICT DO NOTHING;
INSERT INTO twin_texts (property, value, twin)
SELECT v.num, left(NEW.body #>> CAST(v.path AS TEXT[]), 100), NEW.num FROM value_indexes AS v
WHERE v.state <> 'dropping' AND CASE WHEN json_typeof(NEW.body #> CAST(v.path AS TEXT[])) = 'string' THEN TRUE ELSE FALSE END
ON CONFLICT DO NOTHING;
END IF;
RETURN NULL;
END
$follow$
