-- Import and deletion jobs, in the order in which they are done: see src/job/job.h. `progress` is how far an import is (JSON);
-- `timeout` is a span.
CREATE TABLE jobs (
    num INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    input TEXT,
    output TEXT,
    timeout INTEGER NOT NULL,
    created INTEGER NOT NULL,
    acted INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    progress TEXT,
    error_code TEXT,
    error TEXT
);
CREATE UNIQUE INDEX jobs_by_id ON jobs (kind, id);
