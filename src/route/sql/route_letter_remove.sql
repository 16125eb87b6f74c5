DELETE FROM route_letters WHERE num = $1
