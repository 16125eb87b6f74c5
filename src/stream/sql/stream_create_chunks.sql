-- See stream.h. Partition and first offset make the key: partition * 2^48 + first.
CREATE TABLE IF NOT EXISTS chunks (
    place INTEGER PRIMARY KEY, count INTEGER NOT NULL, codec INTEGER NOT NULL, size INTEGER NOT NULL,
    checksum INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, appended INTEGER NOT NULL,
    data BLOB NOT NULL)
