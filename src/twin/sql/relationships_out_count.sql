SELECT COUNT(*) FROM relationships WHERE source = $1
