-- Pending (2): its target is about to be removed.
UPDATE sync_state SET state = 2, run = $3, changed = $4 WHERE pipeline = $1 AND key = $2 AND state <> 5
