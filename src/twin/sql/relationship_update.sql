UPDATE relationships SET name = $3, target = $4, version = $7, updated = $5, body = $6
WHERE source = $1 AND id = $2
