SELECT num, path, state, built_to, created, last_used, uses FROM value_indexes ORDER BY num
