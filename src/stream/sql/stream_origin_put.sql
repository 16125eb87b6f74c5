INSERT INTO origins (origin, high, bits) VALUES ($1, $2, $3) ON CONFLICT (origin) DO UPDATE SET high = excluded.high, bits = excluded.bits
