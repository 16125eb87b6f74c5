-- What only waited behind a letter that is gone is to be delivered.
UPDATE route_letters SET status = 'due' WHERE route = $1 AND status = 'held' AND NOT EXISTS
    (SELECT 1 FROM route_letters l WHERE l.route = route_letters.route AND l.twin = route_letters.twin AND l.status = 'parked')
