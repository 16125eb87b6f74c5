SELECT stream, identity, epoch, next FROM outboxes WHERE pipeline = $1
