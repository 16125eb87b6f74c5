SELECT num, name, source_fingerprint, step_fingerprint, step_targets, cursor, last_slot, last_full_run, last_full_time, live_count
FROM pipelines ORDER BY name
