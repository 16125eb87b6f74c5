UPDATE relationships SET name = $3, target = $4, version = version + 1, updated = $5, body = $6
WHERE source = $1 AND id = $2
