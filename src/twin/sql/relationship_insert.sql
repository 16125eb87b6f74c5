INSERT INTO relationships (source, id, name, target, pipeline, version, updated, body)
VALUES ($1, $2, $3, $4, $5, $8, $6, $7)
ON CONFLICT (source, id) DO NOTHING
