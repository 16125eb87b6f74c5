INSERT INTO keys (num, key) VALUES ($1, $2)
