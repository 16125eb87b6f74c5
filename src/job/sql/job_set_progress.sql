UPDATE jobs SET progress = $2 WHERE num = $1
