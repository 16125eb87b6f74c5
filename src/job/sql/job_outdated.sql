SELECT num FROM jobs WHERE finished > 0 AND finished < $1 ORDER BY num LIMIT 100
