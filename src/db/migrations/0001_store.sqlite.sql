-- The store. Times are nanoseconds since 1970, UTC. Texts compare by bytes.

-- Facts about the store itself: its id, counters.
CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Interfaces (DTDL); `last_twin` counts the twins ever made of one, so that a number never comes back. And what derives from what: base = model is there as well, so that "of this model or derived" is one lookup.
CREATE TABLE models (
    num INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    uploaded INTEGER NOT NULL,
    decommissioned INTEGER NOT NULL,
    last_twin INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE TABLE model_bases (
    base INTEGER NOT NULL,
    model INTEGER NOT NULL,
    PRIMARY KEY (base, model)
) WITHOUT ROWID;

-- A twin's number is its model's number times 2^32 plus a count, so that the twins of a model lie together and the table is the
-- index by model. `sources` counts the pipelines that deliver it; `creator` is the pipeline that created it and delivers it, -1 a
-- pipeline that no longer does, 0 something else than a pipeline: only what pipelines created they may delete. `version` moves
-- with every write. `times` holds what differs from `updated`: see src/twin/graph.h.
CREATE TABLE twins (
    num INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    last_change INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    sources INTEGER NOT NULL,
    creator INTEGER NOT NULL,
    times TEXT,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX twins_by_id ON twins (id);

-- The last change of twins that are gone, so that their history can still be told and goes on when they come back.
CREATE TABLE twin_graves (
    id TEXT NOT NULL PRIMARY KEY,
    last_change INTEGER NOT NULL
) WITHOUT ROWID;

-- Where a twin went whose model, and with it its number, was changed.
CREATE TABLE twin_moves (
    old_num INTEGER PRIMARY KEY,
    new_num INTEGER NOT NULL
);

CREATE TABLE relationships (
    source INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    target INTEGER NOT NULL,
    pipeline INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    body TEXT,
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE INDEX relationships_by_target ON relationships (target, name);

-- Relationships of pipelines one end of which is not there yet. `waiting_for` is the id of a missing twin.
CREATE TABLE relationships_waiting (
    source_id TEXT NOT NULL,
    id TEXT NOT NULL,
    waiting_for TEXT NOT NULL,
    name TEXT NOT NULL,
    target_id TEXT NOT NULL,
    pipeline INTEGER NOT NULL,
    run INTEGER NOT NULL,
    position INTEGER NOT NULL,
    error TEXT,
    body TEXT,
    PRIMARY KEY (source_id, id)
) WITHOUT ROWID;
CREATE INDEX relationships_waiting_by_twin ON relationships_waiting (waiting_for);

-- The change log: compressed chunks of changes, numbered without gaps from 1. See src/twin/changes.h.
CREATE TABLE changes (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- A pipeline and what is known of its source. The fingerprints are those of the last run that was complete and trusted: `source_`
-- of what is read and filtered, `step_` of what is made of it; `step_targets` the names that are written. `live_count` counts its
-- objects that are not deleted.
CREATE TABLE pipelines (
    num INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source_fingerprint TEXT,
    step_fingerprint TEXT,
    step_targets TEXT,
    cursor TEXT,
    last_slot INTEGER NOT NULL DEFAULT 0,
    last_full_run INTEGER NOT NULL DEFAULT 0,
    last_full_time INTEGER NOT NULL DEFAULT 0,
    live_count INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE runs (
    num INTEGER PRIMARY KEY,
    pipeline INTEGER NOT NULL,
    id TEXT NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0,
    read_count INTEGER NOT NULL DEFAULT 0,
    unchanged_count INTEGER NOT NULL DEFAULT 0,
    filtered_count INTEGER NOT NULL DEFAULT 0,
    created_count INTEGER NOT NULL DEFAULT 0,
    updated_count INTEGER NOT NULL DEFAULT 0,
    same_count INTEGER NOT NULL DEFAULT 0,
    stale_count INTEGER NOT NULL DEFAULT 0,
    deleted_count INTEGER NOT NULL DEFAULT 0,
    parked_count INTEGER NOT NULL DEFAULT 0,
    missing_count INTEGER NOT NULL DEFAULT 0,
    read_bytes INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    sweep TEXT NOT NULL DEFAULT 'none',
    sweep_reason TEXT,
    sweep_count INTEGER NOT NULL DEFAULT 0,
    trusted INTEGER NOT NULL DEFAULT 1,
    fingerprint TEXT,
    error_code TEXT,
    error TEXT
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, num);

-- What is known of each object that a pipeline delivers. state: 1 completed, 4 dead, 5 deleted (2 pending and 3 failed are for sinks
-- outside the store). What is null
-- has its ordinary value: attempts 0, never missed, no error. The upper half of a target's number tells its type.
-- missed_runs counts complete, trusted runs in a row; missed_in is the last complete run that did not see it, trusted or not.
CREATE TABLE sync_state (
    pipeline INTEGER NOT NULL,
    key TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state INTEGER NOT NULL,
    hash BLOB NOT NULL,
    target INTEGER NOT NULL,
    run INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    version INTEGER,
    target_id TEXT,
    attempts INTEGER,
    last_error TEXT,
    missed_runs INTEGER,
    missed_since INTEGER,
    missed_in INTEGER,
    PRIMARY KEY (pipeline, key)
) WITHOUT ROWID;

-- Records that cannot be applied, in the order they came. status: parked, held (behind an earlier one of its key).
CREATE TABLE dead_letters (
    num INTEGER PRIMARY KEY,
    pipeline INTEGER NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    run INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    hash BLOB NOT NULL,
    version INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    origin TEXT NOT NULL,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    error TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_by_key ON dead_letters (pipeline, key, hash);
