INSERT INTO route_letters (num, route, twin, change, part, status, parked, attempts, last_attempt, error, event)
VALUES ((SELECT COALESCE(max(num), 0) + 1 FROM route_letters), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (route, change, part) DO NOTHING
