-- Every relationship in order of source and id, for export.
SELECT s.id, r.id, r.name, t.id, r.body
FROM twins AS s JOIN relationships AS r ON r.source = s.num JOIN twins AS t ON t.num = r.target
ORDER BY s.id, r.id
