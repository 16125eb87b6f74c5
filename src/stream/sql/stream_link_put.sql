INSERT INTO links (name, next) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next = excluded.next
