-- Event routes. `position` is the number of the last change whose events are settled: confirmed by the endpoint, parked, or not
-- wanted by the filter. `failing_since`, `attempts` and `error` tell of the event that the route is stuck at; 0 and null: of none.
CREATE TABLE routes (
    id TEXT NOT NULL PRIMARY KEY,
    endpoint TEXT NOT NULL,
    filter TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    position INTEGER NOT NULL,
    failing_since INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT
) WITHOUT ROWID;

-- Events that an endpoint did not take, and those of the same twins behind them, in the order of the log: `change` and `part` tell
-- the place. status: parked, held (behind an earlier one of its twin), due (to be delivered again).
CREATE TABLE route_letters (
    num INTEGER PRIMARY KEY,
    route TEXT NOT NULL,
    twin TEXT NOT NULL,
    change INTEGER NOT NULL,
    part INTEGER NOT NULL,
    status TEXT NOT NULL,
    parked INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    error TEXT,
    event TEXT NOT NULL
);
CREATE UNIQUE INDEX route_letters_by_place ON route_letters (route, change, part);

-- Whether a twin ever had another model, which its number tells.
CREATE INDEX twin_moves_by_new ON twin_moves (new_num);
