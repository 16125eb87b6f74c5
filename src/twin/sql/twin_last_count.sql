SELECT last_twin FROM models WHERE num = $1
