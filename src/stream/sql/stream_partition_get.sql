SELECT next, mark, chunks, data_bytes, body_bytes FROM partitions WHERE num = $1
