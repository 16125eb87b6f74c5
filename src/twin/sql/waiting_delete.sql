DELETE FROM relationships_waiting WHERE source_id = $1 AND id = $2
