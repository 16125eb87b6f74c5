-- Whether there is a twin with a number from $1 to $2: those of one model.
SELECT 1 FROM twins WHERE num BETWEEN $1 AND $2 LIMIT 1
