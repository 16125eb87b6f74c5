-- `next` is the offset of the next event; `mark` that up to which `origins` is up to date.
CREATE TABLE IF NOT EXISTS partitions (
    num INTEGER PRIMARY KEY, next INTEGER NOT NULL, mark INTEGER NOT NULL, chunks INTEGER NOT NULL,
    data_bytes INTEGER NOT NULL, body_bytes INTEGER NOT NULL)
