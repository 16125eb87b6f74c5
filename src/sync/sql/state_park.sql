-- It could not be applied: dead (4). Hash, target and version stay those of what is applied. It was seen, so it is not missing.
UPDATE sync_state SET state = 4, run = $3, changed = $4, attempts = COALESCE(attempts, 0) + 1, last_error = $5,
    missed_runs = NULL, missed_since = NULL, missed_in = NULL
WHERE pipeline = $1 AND key = $2
