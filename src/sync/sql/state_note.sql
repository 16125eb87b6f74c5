-- What is wrong with something that the object left behind, and that is tried again.
UPDATE sync_state SET last_error = $3 WHERE pipeline = $1 AND key = $2 AND state <> 5
