INSERT INTO sync_state (pipeline, key, slot, state, hash, target, run, changed, version, target_id, attempts, last_error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (pipeline, key) DO NOTHING
