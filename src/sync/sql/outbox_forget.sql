DELETE FROM outboxes WHERE pipeline = $1
