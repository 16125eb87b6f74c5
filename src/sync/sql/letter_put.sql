-- The same record again keeps its number, and with it its place, and when it was first parked.
INSERT INTO dead_letters (num, pipeline, key, status, run, parked, attempts, last_attempt, hash, version, kind, origin, position,
    code, error, record)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (pipeline, key, hash) DO UPDATE SET status = excluded.status, run = excluded.run,
    attempts = dead_letters.attempts + 1, last_attempt = excluded.last_attempt, origin = excluded.origin,
    position = excluded.position, code = excluded.code, error = excluded.error
RETURNING num
