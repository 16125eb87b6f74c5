INSERT INTO parts (num, next, latest) VALUES ($1, $2, $3) ON CONFLICT (num) DO UPDATE SET next = excluded.next, latest = excluded.latest
