SELECT place, count, appended, LENGTH(data), size FROM chunks WHERE place >= $1 AND place < $2 ORDER BY place LIMIT 1
