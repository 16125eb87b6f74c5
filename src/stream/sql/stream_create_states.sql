-- What the bodies of an entity's events up to a version come to, as merge patches in order; JSON.
CREATE TABLE IF NOT EXISTS states (
    key TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID
