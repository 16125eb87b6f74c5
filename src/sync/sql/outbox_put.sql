-- Another epoch counts anew.
INSERT INTO outboxes (pipeline, stream, identity, epoch, next) VALUES ($1, $2, $3, $4, 0)
ON CONFLICT (pipeline) DO UPDATE SET stream = excluded.stream, identity = excluded.identity, epoch = excluded.epoch, next = 0
