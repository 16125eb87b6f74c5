SELECT name, target, pipeline, body FROM relationships WHERE source = $1 AND id = $2
