INSERT INTO members (part, key, first, belongs_to) VALUES ($1, $2, $3, $4) ON CONFLICT (part, key, first) DO NOTHING
