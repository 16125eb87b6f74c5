DELETE FROM dead_letters WHERE num = $1
