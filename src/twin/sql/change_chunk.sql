-- The chunk that holds change $1, if any does.
SELECT first, count, codec, size, checksum, data FROM changes WHERE first <= $1 ORDER BY first DESC LIMIT 1
