-- How many twins there are of a model, kept by whoever writes them: so that counting needs no walk.
ALTER TABLE models ADD COLUMN twin_count INTEGER NOT NULL DEFAULT 0;
UPDATE models SET twin_count =
    (SELECT COUNT(*) FROM twins AS t WHERE t.num BETWEEN models.num << 32 AND (models.num << 32) + 4294967295);

-- Properties whose values are indexed, because queries filter on them. path: as queries hand it to the engine. state: building
-- (twins up to number built_to are in), ready, dropping. While there is one, triggers on `twins` keep the entries: see
-- src/twin/values.h.
CREATE TABLE value_indexes (
    num INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    built_to INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0
);

-- The entries: numbers, and the beginnings of texts.
CREATE TABLE twin_numbers (
    property INTEGER NOT NULL,
    value NUMERIC NOT NULL,
    twin INTEGER NOT NULL,
    PRIMARY KEY (property, value, twin)
) WITHOUT ROWID;
CREATE TABLE twin_texts (
    property INTEGER NOT NULL,
    value TEXT NOT NULL,
    twin INTEGER NOT NULL,
    PRIMARY KEY (property, value, twin)
) WITHOUT ROWID;
