-- Of pipeline $1, or of all when that is 0.
SELECT r.num, r.pipeline, p.name, r.id, r.cause, r.status, r.started, r.finished, r.complete, r.read_count, r.unchanged_count,
    r.filtered_count, r.created_count, r.updated_count, r.same_count, r.stale_count, r.deleted_count, r.parked_count,
    r.missing_count, r.read_bytes, r.attempts, r.sweep, r.trusted, r.sweep_reason, r.sweep_count, r.fingerprint, r.error_code, r.error
FROM runs AS r LEFT JOIN pipelines AS p ON p.num = r.pipeline
WHERE CAST($1 AS BIGINT) = 0 OR r.pipeline = CAST($1 AS BIGINT)
ORDER BY r.num DESC LIMIT $2
