SELECT key, slot, state, hash, target, target_id, run, changed, version, attempts, last_error, missed_runs, missed_since, missed_in
FROM sync_state WHERE pipeline = $1 AND state <> 5 ORDER BY key
