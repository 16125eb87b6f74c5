DELETE FROM entity_events WHERE key = $1 AND place = $2
