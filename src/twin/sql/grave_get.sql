SELECT last_change FROM twin_graves WHERE id = $1
