INSERT INTO customers (customer_id, name, contact_name, email, phone, street, city, state, postal_code, country, segment, credit_limit, customer_since, modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
