-- What pipelines delivered to targets outside the store: twins by their id, relationships by "source/id". `target` tells the services
-- apart. `owned`: the pipeline created it. `body` is what was delivered last and confirmed, null: nothing yet. `next` is what is being
-- delivered, so that what is there is in doubt until the answer is kept; null: nothing is. `waiting_for`: the id of the missing end of a
-- relationship that waits with what is in `next`. `link_to`: the target of a relationship. See src/sync/objects.h.
CREATE TABLE sync_objects (
    pipeline BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    target BIGINT NOT NULL,
    owned BIGINT NOT NULL,
    body TEXT,
    next TEXT,
    waiting_for TEXT COLLATE "C",
    link_to TEXT COLLATE "C",
    PRIMARY KEY (id, pipeline)
);
CREATE INDEX sync_objects_by_key ON sync_objects (pipeline, key);
CREATE INDEX sync_objects_waiting ON sync_objects (pipeline, waiting_for) WHERE waiting_for IS NOT NULL;
CREATE INDEX sync_objects_by_link ON sync_objects (link_to) WHERE link_to IS NOT NULL;
