DELETE FROM dead_letters WHERE pipeline = $1 AND key = $2
