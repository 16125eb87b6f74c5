SELECT twin, count(*), sum(CASE WHEN status = 'due' THEN 1 ELSE 0 END) FROM route_letters WHERE route = $1 GROUP BY twin
