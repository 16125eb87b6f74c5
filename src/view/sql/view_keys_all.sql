SELECT num, key FROM keys ORDER BY num
