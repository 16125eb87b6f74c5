-- A new route begins where the log ends; one that is replaced goes on where it was.
INSERT INTO routes (id, endpoint, filter, created, updated, position) VALUES ($1, $2, $3, $4, $4, $5)
ON CONFLICT (id) DO UPDATE SET endpoint = excluded.endpoint, filter = excluded.filter, updated = excluded.updated,
    failing_since = 0, attempts = 0, error = NULL
