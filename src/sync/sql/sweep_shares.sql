-- By type: how many are due, of how many. What was parked from the first time on was never delivered: nothing goes with it.
SELECT target / 4294967296 AS type,
    COUNT(*) FILTER (WHERE missed_in = $2 AND COALESCE(missed_runs, 0) >= $3 AND COALESCE(missed_since, 0) <= $4) AS due,
    COUNT(*) AS live
FROM sync_state WHERE pipeline = $1 AND state <> 5 AND (target <> 0 OR target_id IS NOT NULL)
GROUP BY target / 4294967296 ORDER BY 1
