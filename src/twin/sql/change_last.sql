-- The newest chunk: where the log ends.
SELECT first, count FROM changes ORDER BY first DESC LIMIT 1
