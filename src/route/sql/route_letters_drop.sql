-- Of route $1: letter $2 (0: not chosen so), or those of twin $3 (null: of every twin).
DELETE FROM route_letters WHERE route = $1 AND ($2 = 0 OR num = $2) AND (CAST($3 AS TEXT) IS NULL OR twin = $3)
