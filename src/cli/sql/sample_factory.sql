INSERT INTO factories (factory_id, code, name, street, city, state, postal_code, country, latitude, longitude, in_service_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
