-- Failed (3): its target could not be removed; the next complete run that misses it tries again.
UPDATE sync_state SET state = 3, run = $3, changed = $4, attempts = COALESCE(attempts, 0) + 1, last_error = $5
WHERE pipeline = $1 AND key = $2 AND state <> 5
