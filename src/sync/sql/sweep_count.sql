-- What run $2 missed, what of it is due (missed in $3 runs, first at $4 or before), and how near the rest is.
SELECT COUNT(*), COUNT(*) FILTER (WHERE COALESCE(missed_runs, 0) >= $3 AND COALESCE(missed_since, 0) <= $4),
    MAX(COALESCE(missed_runs, 0)) FILTER (WHERE COALESCE(missed_runs, 0) < $3 OR COALESCE(missed_since, 0) > $4),
    MIN(missed_since) FILTER (WHERE COALESCE(missed_runs, 0) < $3 OR COALESCE(missed_since, 0) > $4)
FROM sync_state WHERE pipeline = $1 AND state <> 5 AND missed_in = $2
