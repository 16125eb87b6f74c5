-- The $5 next relationships behind name $2, source number $3 and id $4 that lead to twin number $1.
SELECT r.id, r.name, s.id, r.source
FROM relationships AS r JOIN twins AS s ON s.num = r.source
WHERE r.target = $1 AND (r.name, r.source, r.id) > ($2, $3, $4)
ORDER BY r.name, r.source, r.id LIMIT $5
