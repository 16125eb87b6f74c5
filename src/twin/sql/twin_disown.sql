-- Pipeline $2 no longer delivers twin $1; who created it as that pipeline may be taken over by another.
UPDATE twins SET sources = CASE WHEN sources > 0 THEN sources - 1 ELSE 0 END,
    creator = CASE WHEN creator = $2 THEN -1 ELSE creator END
WHERE num = $1
