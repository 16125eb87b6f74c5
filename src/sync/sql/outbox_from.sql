SELECT first, count, events FROM outbox WHERE pipeline = $1 AND first >= $2 ORDER BY first LIMIT 1
