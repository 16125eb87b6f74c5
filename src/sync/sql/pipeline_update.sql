UPDATE pipelines SET source_fingerprint = $2, step_fingerprint = $3, step_targets = $4, cursor = $5, last_slot = $6,
    last_full_run = $7, last_full_time = $8, live_count = $9
WHERE num = $1
