INSERT INTO outbox (pipeline, first, count, events) VALUES ($1, $2, $3, $4)
