-- Relationships in other services that wait, for people: with what the service said of the last attempt, if that was something else.
SELECT o.id, o.next, o.link_to, o.waiting_for, s.last_error
FROM sync_objects AS o LEFT JOIN sync_state AS s ON s.pipeline = o.pipeline AND s.key = o.key
WHERE o.waiting_for IS NOT NULL ORDER BY o.waiting_for, o.id, o.pipeline LIMIT $1
