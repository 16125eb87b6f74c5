UPDATE twin_moves SET new_num = $2 WHERE new_num = $1
