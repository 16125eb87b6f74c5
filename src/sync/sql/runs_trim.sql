-- All of pipeline $1 but its newest $2.
DELETE FROM runs WHERE pipeline = $1 AND num NOT IN (SELECT num FROM runs WHERE pipeline = $1 ORDER BY num DESC LIMIT $2)
