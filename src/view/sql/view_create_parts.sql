-- Of each partition: the next offset, and the latest time that an event had (null: none came).
CREATE TABLE IF NOT EXISTS parts (num INTEGER PRIMARY KEY, next INTEGER NOT NULL, latest INTEGER)
