UPDATE sync_state SET hash = $1
