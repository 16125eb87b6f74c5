UPDATE partitions SET next = $2, chunks = chunks + $3, data_bytes = data_bytes + $4, body_bytes = body_bytes + $5 WHERE num = $1
