INSERT INTO jobs (num, kind, id, status, input, output, timeout, created, acted)
VALUES ((SELECT COALESCE(MAX(num), 0) + 1 FROM jobs), $1, $2, 'notstarted', $3, $4, $5, $6, $6)
ON CONFLICT (kind, id) DO NOTHING
