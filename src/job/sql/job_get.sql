SELECT num, kind, id, status, input, output, timeout, created, acted, finished, progress, error_code, error
FROM jobs WHERE kind = $1 AND id = $2
