-- One object that was delivered: 3 when it was told to a stream (target -1), 2 when it is outside the store, where an object has a number
-- and an id, else 1.
SELECT CASE WHEN target < 0 THEN 3 WHEN target <> 0 AND target_id IS NOT NULL THEN 2 ELSE 1 END FROM sync_state
WHERE pipeline = $1 AND state <> 5 AND (target <> 0 OR target_id IS NOT NULL) LIMIT 1
