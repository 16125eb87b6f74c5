-- Retention: the chunks before one.
DELETE FROM changes WHERE first < $1
