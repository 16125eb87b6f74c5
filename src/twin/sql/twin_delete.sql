DELETE FROM twins WHERE num = $1
