-- A page of those that wait, behind id $2.
SELECT pipeline, id, key, target, owned, body, next, waiting_for, link_to FROM sync_objects
WHERE pipeline = $1 AND waiting_for IS NOT NULL AND id > $2 ORDER BY id LIMIT $3
