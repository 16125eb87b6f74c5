SELECT d.num, d.pipeline, p.name, d.key, d.status, d.run, d.parked, d.attempts, d.last_attempt, d.hash, d.version, d.kind,
    d.origin, d.position, d.code, d.error, d.record
FROM dead_letters AS d LEFT JOIN pipelines AS p ON p.num = d.pipeline WHERE d.num = $1
