INSERT INTO chunks (place, count, codec, size, checksum, first_time, last_time, appended, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
