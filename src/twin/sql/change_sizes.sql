-- Chunks from one on, the oldest first: what they take.
SELECT first, count, LENGTH(data) FROM changes WHERE first >= $1 ORDER BY first
