SELECT source_id, id, name, target_id, pipeline, run, position, body FROM relationships_waiting WHERE waiting_for = $1
