SELECT key, slot, target, target_id FROM sync_state
WHERE pipeline = $1 AND key >= $2 AND state <> 5 AND missed_in = $3 AND COALESCE(missed_runs, 0) >= $4
    AND COALESCE(missed_since, 0) <= $5
ORDER BY key
