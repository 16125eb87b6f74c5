-- The number of the last change of twin $1, which may be gone.
SELECT last_change FROM twins WHERE id = $1
UNION ALL SELECT last_change FROM twin_graves WHERE id = $1
