UPDATE twins SET version = version + 1, last_change = $2, updated = $3, sources = $4, creator = $5, times = $6, body = $7
WHERE num = $1
