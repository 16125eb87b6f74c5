INSERT INTO versions (key, version) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET version = excluded.version
