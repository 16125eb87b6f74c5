UPDATE value_indexes SET state = $2, built_to = $3 WHERE num = $1
