UPDATE value_indexes SET last_used = $2, uses = uses + $3 WHERE num = $1
