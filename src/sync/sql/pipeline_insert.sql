INSERT INTO pipelines (num, name) VALUES ((SELECT COALESCE(MAX(num), 0) + 1 FROM pipelines), $1) RETURNING num
