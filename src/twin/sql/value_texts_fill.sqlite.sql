INSERT INTO twin_texts (property, value, twin)
SELECT $1, substr(gm_text(t.body, $2), 1, 100), t.num FROM twins AS t
WHERE t.num > $3 AND t.num <= $4 AND gm_text(t.body, $2) IS NOT NULL ORDER BY 2
ON CONFLICT DO NOTHING
