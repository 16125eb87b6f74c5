INSERT INTO order_lines (order_id, line_no, sku, quantity, unit_price, discount)
VALUES ($1, $2, $3, $4, $5, $6)
