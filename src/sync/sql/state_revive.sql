-- What is applied is what the source shows, again.
UPDATE sync_state SET state = 1, run = $3, changed = $4, attempts = NULL, last_error = NULL,
    missed_runs = NULL, missed_since = NULL, missed_in = NULL
WHERE pipeline = $1 AND key = $2
