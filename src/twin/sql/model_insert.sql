INSERT INTO models (num, id, uploaded, decommissioned, body) VALUES ($1, $2, $3, $4, $5)
