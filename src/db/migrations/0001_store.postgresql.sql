-- The store. Times are nanoseconds since 1970, UTC. Texts compare by bytes (collation "C"), as in SQLite.

-- Facts about the store itself: its id, counters.
CREATE TABLE facts (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Interfaces (DTDL); `last_twin` counts the twins ever made of one, so that a number never comes back. And what derives from what: base = model is there as well, so that "of this model or derived" is one lookup.
CREATE TABLE models (
    num BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    uploaded BIGINT NOT NULL,
    decommissioned BIGINT NOT NULL,
    last_twin BIGINT NOT NULL DEFAULT 0,
    body JSON NOT NULL
);
CREATE TABLE model_bases (
    base BIGINT NOT NULL,
    model BIGINT NOT NULL,
    PRIMARY KEY (base, model)
);

-- A twin's number is its model's number times 2^32 plus a count, so that the twins of a model lie together and the table is the
-- index by model. `sources` counts the pipelines that deliver it; `creator` is the pipeline that created it and delivers it, -1 a
-- pipeline that no longer does, 0 something else than a pipeline: only what pipelines created they may delete. `version` moves
-- with every write. `times` holds what differs from `updated`: see src/twin/graph.h.
CREATE TABLE twins (
    num BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    last_change BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    sources BIGINT NOT NULL,
    creator BIGINT NOT NULL,
    times TEXT,
    body JSON NOT NULL
);
CREATE UNIQUE INDEX twins_by_id ON twins (id);

-- The last change of twins that are gone, so that their history can still be told and goes on when they come back.
CREATE TABLE twin_graves (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_change BIGINT NOT NULL
);

-- Where a twin went whose model, and with it its number, was changed.
CREATE TABLE twin_moves (
    old_num BIGINT PRIMARY KEY,
    new_num BIGINT NOT NULL
);

CREATE TABLE relationships (
    source BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    target BIGINT NOT NULL,
    pipeline BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    body JSON,
    PRIMARY KEY (source, id)
);
CREATE INDEX relationships_by_target ON relationships (target, name);

-- Relationships of pipelines one end of which is not there yet. `waiting_for` is the id of a missing twin.
CREATE TABLE relationships_waiting (
    source_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    waiting_for TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    pipeline BIGINT NOT NULL,
    run BIGINT NOT NULL,
    position BIGINT NOT NULL,
    error TEXT,
    body JSON,
    PRIMARY KEY (source_id, id)
);
CREATE INDEX relationships_waiting_by_twin ON relationships_waiting (waiting_for);

-- The change log: compressed chunks of changes, numbered without gaps from 1. See src/twin/changes.h.
CREATE TABLE changes (
    first BIGINT PRIMARY KEY,
    count BIGINT NOT NULL,
    codec BIGINT NOT NULL,
    size BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    data BYTEA NOT NULL
);

-- A pipeline and what is known of its source. The fingerprints are those of the last run that was complete and trusted: `source_`
-- of what is read and filtered, `step_` of what is made of it; `step_targets` the names that are written. `live_count` counts its
-- objects that are not deleted.
CREATE TABLE pipelines (
    num BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    source_fingerprint TEXT COLLATE "C",
    step_fingerprint TEXT COLLATE "C",
    step_targets TEXT,
    cursor TEXT COLLATE "C",
    last_slot BIGINT NOT NULL DEFAULT 0,
    last_full_run BIGINT NOT NULL DEFAULT 0,
    last_full_time BIGINT NOT NULL DEFAULT 0,
    live_count BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE runs (
    num BIGINT PRIMARY KEY,
    pipeline BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    started BIGINT NOT NULL,
    finished BIGINT NOT NULL DEFAULT 0,
    complete BIGINT NOT NULL DEFAULT 0,
    read_count BIGINT NOT NULL DEFAULT 0,
    unchanged_count BIGINT NOT NULL DEFAULT 0,
    filtered_count BIGINT NOT NULL DEFAULT 0,
    created_count BIGINT NOT NULL DEFAULT 0,
    updated_count BIGINT NOT NULL DEFAULT 0,
    same_count BIGINT NOT NULL DEFAULT 0,
    stale_count BIGINT NOT NULL DEFAULT 0,
    deleted_count BIGINT NOT NULL DEFAULT 0,
    parked_count BIGINT NOT NULL DEFAULT 0,
    missing_count BIGINT NOT NULL DEFAULT 0,
    read_bytes BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    sweep TEXT COLLATE "C" NOT NULL DEFAULT 'none',
    sweep_reason TEXT COLLATE "C",
    sweep_count BIGINT NOT NULL DEFAULT 0,
    trusted BIGINT NOT NULL DEFAULT 1,
    fingerprint TEXT COLLATE "C",
    error_code TEXT COLLATE "C",
    error TEXT
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, num);

-- What is known of each object that a pipeline delivers. state: 1 completed, 4 dead, 5 deleted (2 pending and 3 failed are for sinks
-- outside the store). What is null
-- has its ordinary value: attempts 0, never missed, no error. The upper half of a target's number tells its type.
-- missed_runs counts complete, trusted runs in a row; missed_in is the last complete run that did not see it, trusted or not.
CREATE TABLE sync_state (
    pipeline BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    state BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    target BIGINT NOT NULL,
    run BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    version BIGINT,
    target_id TEXT COLLATE "C",
    attempts BIGINT,
    last_error TEXT,
    missed_runs BIGINT,
    missed_since BIGINT,
    missed_in BIGINT,
    PRIMARY KEY (pipeline, key)
);

-- Records that cannot be applied, in the order they came. status: parked, held (behind an earlier one of its key).
CREATE TABLE dead_letters (
    num BIGINT PRIMARY KEY,
    pipeline BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    run BIGINT NOT NULL,
    parked BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_attempt BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    version BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    error TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_by_key ON dead_letters (pipeline, key, hash);
