-- Letters of runs before $2 that run $2, which showed every object, did not park again: unless their key's object is dead (4).
DELETE FROM dead_letters WHERE pipeline = $1 AND run < $2
    AND NOT EXISTS (SELECT 1 FROM sync_state
                    WHERE sync_state.pipeline = $1 AND sync_state.key = dead_letters.key AND sync_state.state = 4)
