SELECT id FROM twins WHERE num = $1
