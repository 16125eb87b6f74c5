SELECT r.id, r.name, s.id, r.pipeline, r.body, r.version, r.source FROM relationships AS r JOIN twins AS s ON s.num = r.source WHERE r.target = $1
