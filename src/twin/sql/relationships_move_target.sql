UPDATE relationships SET target = $2 WHERE target = $1
