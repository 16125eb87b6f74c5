SELECT DISTINCT key FROM dead_letters WHERE pipeline = $1
