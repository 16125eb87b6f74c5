INSERT INTO twin_numbers (property, value, twin)
SELECT $1, gm_number(t.body, $2), t.num FROM twins AS t
WHERE t.num > $3 AND t.num <= $4 AND gm_number(t.body, $2) IS NOT NULL ORDER BY 2
ON CONFLICT DO NOTHING
