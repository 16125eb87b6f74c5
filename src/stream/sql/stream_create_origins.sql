-- The highest sequence of each origin, and which of those below it came (a ring of bits by sequence).
CREATE TABLE IF NOT EXISTS origins (
    origin TEXT NOT NULL PRIMARY KEY, high INTEGER NOT NULL, bits BLOB NOT NULL) WITHOUT ROWID
