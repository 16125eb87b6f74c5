UPDATE models SET last_twin = $2 WHERE num = $1
