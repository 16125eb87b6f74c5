INSERT INTO twin_numbers (property, value, twin)
SELECT CAST($1 AS BIGINT), CAST(t.body #>> CAST($2 AS TEXT[]) AS NUMERIC), t.num FROM twins AS t
WHERE t.num > $3 AND t.num <= $4
AND CASE WHEN json_typeof(t.body #> CAST($2 AS TEXT[])) = 'number' THEN TRUE ELSE FALSE END
ON CONFLICT DO NOTHING
