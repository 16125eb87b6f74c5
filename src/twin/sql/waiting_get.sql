SELECT name, target_id, pipeline, waiting_for, error, body FROM relationships_waiting WHERE source_id = $1 AND id = $2
