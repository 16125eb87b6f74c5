INSERT INTO suppliers (supplier_id, name, contact_name, email, phone, street, city, state, postal_code, country, rating, lead_time_days)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
