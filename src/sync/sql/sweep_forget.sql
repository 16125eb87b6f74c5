-- Deleted (5). The row stays for its slot; nothing of what was applied is left, so a return counts as new.
UPDATE sync_state SET state = 5, hash = $5, target = 0, target_id = NULL, run = $3, changed = $4, version = NULL,
    attempts = NULL, last_error = NULL, missed_runs = NULL, missed_since = NULL, missed_in = NULL
WHERE pipeline = $1 AND key = $2 AND state <> 5
