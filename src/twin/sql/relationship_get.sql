SELECT name, target, pipeline, body, version, updated FROM relationships WHERE source = $1 AND id = $2
