SELECT 1 FROM sync_objects WHERE pipeline = $1 LIMIT 1
