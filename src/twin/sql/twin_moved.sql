SELECT new_num FROM twin_moves WHERE old_num = $1
