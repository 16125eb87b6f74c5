-- A page of those that wait, behind the one that waits for $2 and is called $3.
SELECT pipeline, id, key, target, owned, body, next, waiting_for, link_to FROM sync_objects
WHERE pipeline = $1 AND waiting_for >= $2 AND (waiting_for > $2 OR id > $3) ORDER BY waiting_for, id LIMIT $4
