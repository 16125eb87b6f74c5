DELETE FROM models WHERE num = $1
