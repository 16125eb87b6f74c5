INSERT INTO orders (order_id, customer_id, factory_id, ordered_on, required_on, shipped_at, status, comment, modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
