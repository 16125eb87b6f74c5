SELECT place, count, codec, size, checksum, appended, data FROM chunks ORDER BY place
