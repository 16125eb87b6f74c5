SELECT num FROM twins WHERE id = $1
