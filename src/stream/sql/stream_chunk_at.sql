SELECT place, count, codec, size, checksum, appended, data FROM chunks WHERE place <= $1 AND place >= $2 ORDER BY place DESC LIMIT 1
