INSERT INTO states (key, version, state) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET version = excluded.version, state = excluded.state WHERE states.version < excluded.version
