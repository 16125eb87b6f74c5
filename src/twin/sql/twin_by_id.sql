SELECT num, id, version, last_change, created, updated, sources, creator, times, body FROM twins WHERE id = $1
