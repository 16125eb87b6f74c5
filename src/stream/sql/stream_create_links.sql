-- How far each stream that is forwarded to this one has come.
CREATE TABLE IF NOT EXISTS links (name TEXT NOT NULL PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID
