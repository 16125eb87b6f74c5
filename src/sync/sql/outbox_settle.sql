DELETE FROM outbox WHERE pipeline = $1 AND first < $2
