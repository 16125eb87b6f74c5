UPDATE sync_state SET missed_in = $3 WHERE pipeline = $1 AND key = $2 AND state <> 5
