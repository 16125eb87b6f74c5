-- What pipeline $3 delivers as relationships of twin number $1, id $2: those that stand and those that wait.
SELECT r.id AS id, r.name AS name, t.id AS target_id, r.body AS body
FROM relationships AS r JOIN twins AS t ON t.num = r.target WHERE r.source = $1 AND r.pipeline = $3
UNION ALL
SELECT w.id, w.name, w.target_id, w.body FROM relationships_waiting AS w WHERE w.source_id = $2 AND w.pipeline = $3
ORDER BY id
