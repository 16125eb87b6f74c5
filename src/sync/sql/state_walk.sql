-- Comparing walks beside this, and runs it again from a later key where it is far behind.
SELECT key, slot, state, hash, target, version, target_id, missed_in FROM sync_state WHERE pipeline = $1 AND key >= $2 ORDER BY key
