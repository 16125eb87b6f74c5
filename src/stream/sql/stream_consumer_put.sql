INSERT INTO consumers (name, num, next, lost) VALUES ($1, $2, $3, $4) ON CONFLICT (name, num) DO UPDATE SET next = excluded.next, lost = excluded.lost
