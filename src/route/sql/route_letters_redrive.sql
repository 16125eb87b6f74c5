-- Of route $1: those of the twin of letter $2 (0: not chosen so), or of twin $3 (null: of every twin).
UPDATE route_letters SET status = 'due' WHERE route = $1
    AND ($2 = 0 OR twin = (SELECT l.twin FROM route_letters l WHERE l.num = $2 AND l.route = $1)) AND (CAST($3 AS TEXT) IS NULL OR twin = $3)
