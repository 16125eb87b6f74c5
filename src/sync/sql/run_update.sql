UPDATE runs SET status = $2, finished = $3, complete = $4, read_count = $5, unchanged_count = $6, filtered_count = $7,
    created_count = $8, updated_count = $9, same_count = $10, stale_count = $11, deleted_count = $12, parked_count = $13,
    missing_count = $14, read_bytes = $15, attempts = $16, sweep = $17, trusted = $18, sweep_reason = $19,
    sweep_count = $20, fingerprint = $21, error_code = $22, error = $23
WHERE num = $1
