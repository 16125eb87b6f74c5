-- How many twins there are of a model, kept by whoever writes them: so that counting needs no walk.
ALTER TABLE models ADD COLUMN twin_count BIGINT NOT NULL DEFAULT 0;
UPDATE models SET twin_count =
    (SELECT COUNT(*) FROM twins AS t WHERE t.num BETWEEN models.num << 32 AND (models.num << 32) + 4294967295);

-- Properties whose values are indexed, because queries filter on them. path: as queries hand it to the engine. state: building
-- (twins up to number built_to are in), ready, dropping. While there is one, triggers on `twins` keep the entries: see
-- src/twin/values.h.
CREATE TABLE value_indexes (
    num BIGINT PRIMARY KEY,
    path TEXT COLLATE "C" NOT NULL UNIQUE,
    state TEXT COLLATE "C" NOT NULL,
    built_to BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    uses BIGINT NOT NULL DEFAULT 0
);

-- The entries: numbers, and the beginnings of texts.
CREATE TABLE twin_numbers (
    property BIGINT NOT NULL,
    value NUMERIC NOT NULL,
    twin BIGINT NOT NULL,
    PRIMARY KEY (property, value, twin)
);
CREATE TABLE twin_texts (
    property BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    twin BIGINT NOT NULL,
    PRIMARY KEY (property, value, twin)
);
