INSERT INTO relationships_waiting (source_id, id, waiting_for, name, target_id, pipeline, run, position, error, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source_id, id) DO UPDATE SET waiting_for = excluded.waiting_for, name = excluded.name,
    target_id = excluded.target_id, pipeline = excluded.pipeline, run = excluded.run, position = excluded.position,
    error = excluded.error, body = excluded.body
