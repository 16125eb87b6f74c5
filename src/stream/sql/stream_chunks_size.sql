SELECT COALESCE(SUM(LENGTH(data)), 0) FROM chunks WHERE place >= $1 AND place < $2
