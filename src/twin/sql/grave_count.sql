SELECT COUNT(*) FROM twin_graves
