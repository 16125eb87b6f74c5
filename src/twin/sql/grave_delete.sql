DELETE FROM twin_graves WHERE id = $1
