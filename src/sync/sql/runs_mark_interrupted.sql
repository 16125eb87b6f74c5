UPDATE runs SET status = $1, finished = $2, error_code = $3, error = $4 WHERE status = $5
