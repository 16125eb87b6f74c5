UPDATE jobs SET status = $2, acted = $3 WHERE num = $1
