-- What the events of an entity up to a version come to; JSON.
CREATE TABLE IF NOT EXISTS snapshots (
    key TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, taken INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID
