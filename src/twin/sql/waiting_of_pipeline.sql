SELECT id, name FROM relationships_waiting WHERE source_id = $1 AND pipeline = $2
