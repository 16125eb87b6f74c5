SELECT place FROM chunks WHERE place >= $1 AND place < $2 AND last_time >= $3 ORDER BY place LIMIT 1
