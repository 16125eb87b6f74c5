INSERT INTO changes (first, count, codec, size, checksum, data) VALUES ($1, $2, $3, $4, $5, $6)
