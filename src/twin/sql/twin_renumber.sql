UPDATE twins SET num = $2 WHERE num = $1
