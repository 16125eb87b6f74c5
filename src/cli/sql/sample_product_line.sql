INSERT INTO product_lines (sku, line_id, cycle_seconds, preferred)
VALUES ($1, $2, $3, $4)
