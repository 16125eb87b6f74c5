-- The oldest chunk: where the log begins.
SELECT first FROM changes ORDER BY first LIMIT 1
