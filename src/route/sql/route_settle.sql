-- How far route $1, made at $2, has come; and what it is stuck at, if anything.
UPDATE routes SET position = $3, failing_since = $4, attempts = $5, error = $6 WHERE id = $1 AND created = $2
