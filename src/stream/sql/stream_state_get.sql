SELECT version, state FROM states WHERE key = $1
