DELETE FROM route_letters WHERE route = $1
