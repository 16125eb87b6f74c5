-- Every twin in order of id, for export.
SELECT num, id, body, times FROM twins ORDER BY id
