-- Letters of records whose key could not be told, which no object of the pipeline has, of runs before $2.
DELETE FROM dead_letters WHERE pipeline = $1 AND run < $2
    AND NOT EXISTS (SELECT 1 FROM sync_state WHERE sync_state.pipeline = $1 AND sync_state.key = dead_letters.key)
