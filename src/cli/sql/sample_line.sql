INSERT INTO lines (line_id, code, factory_id, name, purpose, units_per_hour, in_service_since)
VALUES ($1, $2, $3, $4, $5, $6, $7)
