DELETE FROM chunks WHERE place >= $1 AND place < $2
