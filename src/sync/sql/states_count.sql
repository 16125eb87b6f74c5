-- One pass without sorting.
SELECT COUNT(*) FILTER (WHERE state = 1), COUNT(*) FILTER (WHERE state = 2), COUNT(*) FILTER (WHERE state = 3),
    COUNT(*) FILTER (WHERE state = 4), COUNT(*) FILTER (WHERE state = 5)
FROM sync_state WHERE pipeline = $1
