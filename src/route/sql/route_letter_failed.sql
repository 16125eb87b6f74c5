-- Letter $1 was not taken again; those behind it of its twin wait for it.
UPDATE route_letters SET status = CASE WHEN num = $1 THEN 'parked' ELSE 'held' END,
    attempts = attempts + CASE WHEN num = $1 THEN 1 ELSE 0 END,
    last_attempt = CASE WHEN num = $1 THEN $4 ELSE last_attempt END,
    error = CASE WHEN num = $1 THEN $5 ELSE error END
WHERE route = $2 AND twin = $3 AND num >= $1
