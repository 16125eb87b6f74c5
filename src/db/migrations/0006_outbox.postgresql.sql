-- Events that pipelines write into streams, on their way there: see src/sync/outbox.h. One row of `outboxes` for a pipeline: the stream,
-- which file of that name it is, the name under which the stream counts what came, and the number of the next event. Rows of `outbox` are
-- events, encoded, from number `first` on.
CREATE TABLE outboxes (
    pipeline BIGINT PRIMARY KEY,
    stream TEXT COLLATE "C" NOT NULL,
    identity BIGINT NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    next BIGINT NOT NULL
);
CREATE TABLE outbox (
    pipeline BIGINT NOT NULL,
    first BIGINT NOT NULL,
    count BIGINT NOT NULL,
    events BYTEA NOT NULL,
    PRIMARY KEY (pipeline, first)
);
