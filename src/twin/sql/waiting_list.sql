-- Relationships that wait, for people.
SELECT source_id, name, target_id, waiting_for, error, pipeline FROM relationships_waiting
ORDER BY waiting_for, source_id, id LIMIT $1
