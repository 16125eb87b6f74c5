SELECT state FROM cells WHERE part = $1 AND start = $2 AND key = $3
