SELECT id, name FROM relationships WHERE source = $1 AND pipeline = $2
