INSERT INTO twin_graves (id, last_change) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET last_change = excluded.last_change
