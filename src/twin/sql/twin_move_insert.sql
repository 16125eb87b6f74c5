INSERT INTO twin_moves (old_num, new_num) VALUES ($1, $2)
