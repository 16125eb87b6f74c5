SELECT r.id, r.name, t.id, r.pipeline, r.body, r.version FROM relationships AS r JOIN twins AS t ON t.num = r.target WHERE r.source = $1
