-- In order of ids, behind $1; $2: this one alone, or null; at most $3.
SELECT id, endpoint, filter, created, updated, position, failing_since, attempts, error,
    (SELECT count(*) FROM route_letters WHERE route = routes.id) FROM routes
WHERE id > $1 AND (CAST($2 AS TEXT) IS NULL OR id = $2) ORDER BY id LIMIT $3
