-- Import and deletion jobs, in the order in which they are done: see src/job/job.h. `progress` is how far an import is (JSON);
-- `timeout` is a span.
CREATE TABLE jobs (
    num BIGINT PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C",
    output TEXT COLLATE "C",
    timeout BIGINT NOT NULL,
    created BIGINT NOT NULL,
    acted BIGINT NOT NULL,
    finished BIGINT NOT NULL DEFAULT 0,
    progress TEXT COLLATE "C",
    error_code TEXT COLLATE "C",
    error TEXT COLLATE "C"
);
CREATE UNIQUE INDEX jobs_by_id ON jobs (kind, id);
