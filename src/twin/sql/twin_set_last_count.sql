UPDATE models SET last_twin = $2, twin_count = twin_count + $3 WHERE num = $1
