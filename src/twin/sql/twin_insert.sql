INSERT INTO twins (num, id, version, last_change, created, updated, sources, creator, times, body)
VALUES ($1, $2, 1, $3, $4, $4, $5, $6, $8, $7)
ON CONFLICT (id) DO NOTHING
