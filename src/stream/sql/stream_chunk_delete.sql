DELETE FROM chunks WHERE place = $1
