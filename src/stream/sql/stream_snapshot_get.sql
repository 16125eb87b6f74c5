SELECT version, taken, state FROM snapshots WHERE key = $1
