SELECT num, kind, id, status, input, output, timeout, created, acted, finished, progress, error_code, error
FROM jobs WHERE status IN ('notstarted', 'running', 'cancelling') ORDER BY num LIMIT 1
