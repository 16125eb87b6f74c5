UPDATE twins SET sources = $2, creator = $3 WHERE num = $1
