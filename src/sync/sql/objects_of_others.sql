-- What other pipelines than $3 deliver under the id $1 of the service $2.
SELECT pipeline, id, key, target, owned, body, next, waiting_for, link_to FROM sync_objects
WHERE id = $1 AND target = $2 AND pipeline <> $3 AND waiting_for IS NULL ORDER BY pipeline
