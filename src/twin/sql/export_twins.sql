-- Every twin in order of id, for export.
SELECT num, id, body FROM twins ORDER BY id
