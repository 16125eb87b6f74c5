-- See cells.h; `start` is the window's beginning, 0 of latest values.
CREATE TABLE IF NOT EXISTS cells (
    part INTEGER NOT NULL, start INTEGER NOT NULL, key INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (part, start, key)) WITHOUT ROWID
