-- Pending (2): something is about to be done to its target, outside the store. No content is what is applied, until it is done.
UPDATE sync_state SET state = 2, target = $3, run = $4, changed = $5, target_id = $6, hash = $7 WHERE pipeline = $1 AND key = $2
