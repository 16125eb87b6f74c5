-- One relationship, standing or waiting, by its source's id and its own.
SELECT r.name AS name, t.id AS target_id, r.body AS body
FROM relationships AS r JOIN twins AS s ON s.num = r.source JOIN twins AS t ON t.num = r.target WHERE s.id = $1 AND r.id = $2
UNION ALL
SELECT w.name, w.target_id, w.body FROM relationships_waiting AS w WHERE w.source_id = $1 AND w.id = $2
