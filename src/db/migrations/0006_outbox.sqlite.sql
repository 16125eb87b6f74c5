-- Events that pipelines write into streams, on their way there: see src/sync/outbox.h. One row of `outboxes` for a pipeline: the stream,
-- which file of that name it is, the name under which the stream counts what came, and the number of the next event. Rows of `outbox` are
-- events, encoded, from number `first` on.
CREATE TABLE outboxes (
    pipeline INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    identity INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    next INTEGER NOT NULL
);
CREATE TABLE outbox (
    pipeline INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (pipeline, first)
);
