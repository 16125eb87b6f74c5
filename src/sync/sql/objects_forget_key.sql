DELETE FROM sync_objects WHERE pipeline = $1 AND key = $2
