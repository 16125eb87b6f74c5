SELECT MIN(start) FROM cells WHERE part = $1 AND start >= $2
