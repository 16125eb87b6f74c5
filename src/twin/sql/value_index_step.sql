SELECT MAX(n.num) FROM (SELECT num FROM twins WHERE num > $1 ORDER BY num LIMIT $2) AS n
