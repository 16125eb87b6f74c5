-- It took effect: completed (1), whatever it was.
UPDATE sync_state SET state = 1, hash = $3, target = $4, run = $5, changed = $6, version = $7, target_id = $8,
    attempts = NULL, last_error = NULL, missed_runs = NULL, missed_since = NULL, missed_in = NULL
WHERE pipeline = $1 AND key = $2
