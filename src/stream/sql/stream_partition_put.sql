INSERT INTO partitions (num, next, mark, chunks, data_bytes, body_bytes) VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT (num) DO NOTHING
