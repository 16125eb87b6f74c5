-- Where each event of an entity is, in a stream with versions. `place` is that of chunks, of the event itself.
CREATE TABLE IF NOT EXISTS entity_events (
    key TEXT NOT NULL, version INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (key, version)) WITHOUT ROWID
