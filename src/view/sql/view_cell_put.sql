INSERT INTO cells (part, start, key, state) VALUES ($1, $2, $3, $4) ON CONFLICT (part, start, key) DO UPDATE SET state = excluded.state
