-- A model as it is now: decommissioned or not, gone (uploaded -1) or not, or with another definition after it was gone.
UPDATE models SET uploaded = $2, decommissioned = $3, body = $4 WHERE num = $1
