INSERT INTO twin_texts (property, value, twin)
SELECT CAST($1 AS BIGINT), left(t.body #>> CAST($2 AS TEXT[]), 100), t.num FROM twins AS t
WHERE t.num > $3 AND t.num <= $4
AND CASE WHEN json_typeof(t.body #> CAST($2 AS TEXT[])) = 'string' THEN TRUE ELSE FALSE END
ON CONFLICT DO NOTHING
