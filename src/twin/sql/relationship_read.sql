-- Relationship $2 of twin number $1.
SELECT r.id, r.name, t.id, r.version, r.updated, r.body
FROM relationships AS r JOIN twins AS t ON t.num = r.target WHERE r.source = $1 AND r.id = $2
