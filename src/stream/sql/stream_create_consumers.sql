-- How far a consumer has come: `next` is the offset of its next event, `lost` counts those that retention took before it.
CREATE TABLE IF NOT EXISTS consumers (
    name TEXT NOT NULL, num INTEGER NOT NULL, next INTEGER NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY (name, num)) WITHOUT ROWID
