SELECT MAX(start) FROM cells WHERE part = $1
