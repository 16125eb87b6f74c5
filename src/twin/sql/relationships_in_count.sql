SELECT COUNT(*) FROM relationships WHERE target = $1
