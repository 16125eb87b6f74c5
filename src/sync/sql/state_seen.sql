UPDATE sync_state SET missed_runs = NULL, missed_since = NULL, missed_in = NULL WHERE pipeline = $1 AND key = $2
