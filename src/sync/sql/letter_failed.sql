UPDATE dead_letters SET attempts = attempts + 1, last_attempt = $2, error = $3 WHERE num = $1
