UPDATE twins SET last_change = $2 WHERE num = $1
