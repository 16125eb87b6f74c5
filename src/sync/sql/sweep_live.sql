SELECT key, slot, target, target_id FROM sync_state WHERE pipeline = $1 AND key >= $2 AND state <> 5 ORDER BY key
