INSERT INTO value_indexes (num, path, state, created, last_used) SELECT COALESCE(MAX(num), 0) + 1, $1, 'building', $2, $2 FROM value_indexes WHERE TRUE ON CONFLICT (path) DO NOTHING
