SELECT num, kind, id, status, input, output, timeout, created, acted, finished, progress, error_code, error
FROM jobs WHERE kind = $1 AND num > $2 ORDER BY num LIMIT $3
