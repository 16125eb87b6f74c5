SELECT count(*) FROM routes WHERE id <> $1
