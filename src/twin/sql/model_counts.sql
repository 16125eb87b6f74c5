SELECT num, twin_count FROM models ORDER BY num
