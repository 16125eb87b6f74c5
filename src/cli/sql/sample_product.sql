INSERT INTO products (sku, name, group_id, supplier_id, unit_price, weight_kg, discontinued, tags, attributes, modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
