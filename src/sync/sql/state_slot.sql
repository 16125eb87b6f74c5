SELECT slot, state FROM sync_state WHERE pipeline = $1 AND key = $2
