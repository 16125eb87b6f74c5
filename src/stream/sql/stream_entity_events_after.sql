SELECT version, place FROM entity_events WHERE key = $1 AND version > $2 ORDER BY version LIMIT $3
