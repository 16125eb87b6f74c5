DELETE FROM dead_letters WHERE pipeline = $1
