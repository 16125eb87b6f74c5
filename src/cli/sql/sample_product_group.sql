INSERT INTO product_groups (group_id, name)
VALUES ($1, $2)
