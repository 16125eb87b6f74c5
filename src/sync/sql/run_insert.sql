-- A pipeline's newest run is never trimmed, so the numbers of runs do not come back.
INSERT INTO runs (num, pipeline, id, cause, status, started, fingerprint)
VALUES ((SELECT COALESCE(MAX(num), 0) + 1 FROM runs), $1, $2, $3, $4, $5, $6) RETURNING num
