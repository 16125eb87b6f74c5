UPDATE jobs SET status = $2, acted = $3, finished = $3, error_code = $4, error = $5 WHERE num = $1
