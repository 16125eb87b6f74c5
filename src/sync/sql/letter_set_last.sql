INSERT INTO facts (name, value) VALUES ('dead_letters.last', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value
