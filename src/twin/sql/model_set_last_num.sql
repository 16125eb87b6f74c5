INSERT INTO facts (name, value) VALUES ('models.last_num', $1)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
