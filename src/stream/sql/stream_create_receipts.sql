-- What became of an append that has a name, for who sends it again. `place` is that of its event; `version` 0: its key has none.
CREATE TABLE IF NOT EXISTS receipts (
    num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, place INTEGER NOT NULL)
