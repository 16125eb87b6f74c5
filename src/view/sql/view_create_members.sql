-- What an event's key belongs to, from an offset on; empty: to nothing.
CREATE TABLE IF NOT EXISTS members (
    part INTEGER NOT NULL, key TEXT NOT NULL, first INTEGER NOT NULL, belongs_to TEXT NOT NULL,
    PRIMARY KEY (part, key, first)) WITHOUT ROWID
