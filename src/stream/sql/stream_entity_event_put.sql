INSERT INTO entity_events (key, version, place) VALUES ($1, $2, $3) ON CONFLICT (key, version) DO UPDATE SET place = excluded.place
