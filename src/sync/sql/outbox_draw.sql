UPDATE outboxes SET next = next + $2 WHERE pipeline = $1 RETURNING next
