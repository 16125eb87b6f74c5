-- The $4 next relationships behind id $2 that go out from twin number $1; of name $3, '' for any.
SELECT r.id, r.name, t.id, r.version, r.updated, r.body
FROM relationships AS r JOIN twins AS t ON t.num = r.target
WHERE r.source = $1 AND r.id > $2 AND ($3 = '' OR r.name = $3)
ORDER BY r.id LIMIT $4
