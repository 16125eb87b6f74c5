-- Event routes. `position` is the number of the last change whose events are settled: confirmed by the endpoint, parked, or not
-- wanted by the filter. `failing_since`, `attempts` and `error` tell of the event that the route is stuck at; 0 and null: of none.
CREATE TABLE routes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    endpoint TEXT COLLATE "C" NOT NULL,
    filter TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    position BIGINT NOT NULL,
    failing_since BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    error TEXT
);

-- Events that an endpoint did not take, and those of the same twins behind them, in the order of the log: `change` and `part` tell
-- the place. status: parked, held (behind an earlier one of its twin), due (to be delivered again).
CREATE TABLE route_letters (
    num BIGINT PRIMARY KEY,
    route TEXT COLLATE "C" NOT NULL,
    twin TEXT COLLATE "C" NOT NULL,
    change BIGINT NOT NULL,
    part BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    parked BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_attempt BIGINT NOT NULL,
    error TEXT,
    event TEXT NOT NULL
);
CREATE UNIQUE INDEX route_letters_by_place ON route_letters (route, change, part);

-- Whether a twin ever had another model, which its number tells.
CREATE INDEX twin_moves_by_new ON twin_moves (new_num);
