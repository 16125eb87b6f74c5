SELECT version FROM versions WHERE key = $1
