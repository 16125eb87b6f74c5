DELETE FROM relationships WHERE source = $1 AND id = $2
