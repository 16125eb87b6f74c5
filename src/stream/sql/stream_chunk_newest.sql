SELECT place, count, appended FROM chunks WHERE place >= $1 AND place < $2 ORDER BY place DESC LIMIT 1
