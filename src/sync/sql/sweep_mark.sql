-- Counts once per run, however often a page comes.
UPDATE sync_state SET missed_runs = COALESCE(missed_runs, 0) + 1, missed_since = COALESCE(missed_since, $4), missed_in = $3
WHERE pipeline = $1 AND key = $2 AND state <> 5 AND COALESCE(missed_in, 0) <> $3
