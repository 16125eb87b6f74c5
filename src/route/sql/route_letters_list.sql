-- Behind $2, in the order they came: of route $1 (null: of all), with status $3 (null: any), at most $4.
SELECT num, route, twin, change, part, status, parked, attempts, last_attempt, error, event FROM route_letters
WHERE num > $2 AND (CAST($1 AS TEXT) IS NULL OR route = $1) AND (CAST($3 AS TEXT) IS NULL OR status = $3) ORDER BY num LIMIT $4
