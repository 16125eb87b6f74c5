SELECT COUNT(*) FROM sync_objects WHERE waiting_for IS NOT NULL
