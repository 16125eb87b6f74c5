-- Relationships of every pipeline that lead to twin $1 of the service $2.
SELECT pipeline, id, key, target, owned, body, next, waiting_for, link_to FROM sync_objects WHERE link_to = $1 AND target = $2
ORDER BY pipeline, id
