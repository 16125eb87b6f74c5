-- A new object that took effect, without a version or a name of its own: by far the most common row.
INSERT INTO sync_state (pipeline, key, slot, state, hash, target, run, changed)
VALUES ($1, $2, $3, 1, $4, $5, $6, $7)
ON CONFLICT (pipeline, key) DO NOTHING
