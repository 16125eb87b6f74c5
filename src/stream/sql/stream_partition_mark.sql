UPDATE partitions SET mark = $2 WHERE num = $1
