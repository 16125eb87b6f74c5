DELETE FROM value_indexes WHERE num = $1
