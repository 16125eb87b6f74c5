-- One object that was delivered: whether it is outside the store, where an object has a number and an id.
SELECT target <> 0 AND target_id IS NOT NULL FROM sync_state
WHERE pipeline = $1 AND state <> 5 AND (target <> 0 OR target_id IS NOT NULL) LIMIT 1
