-- Of pipeline $2 (0: all) and key $3 (null: all), behind number $1.
SELECT d.num, d.pipeline, p.name, d.key, d.status, d.run, d.parked, d.attempts, d.last_attempt, d.hash, d.version, d.kind,
    d.origin, d.position, d.code, d.error, d.record
FROM dead_letters AS d LEFT JOIN pipelines AS p ON p.num = d.pipeline
WHERE d.num > $1 AND (CAST($2 AS BIGINT) = 0 OR d.pipeline = CAST($2 AS BIGINT))
    AND (CAST($3 AS TEXT) IS NULL OR d.key = CAST($3 AS TEXT))
ORDER BY d.num LIMIT $4
