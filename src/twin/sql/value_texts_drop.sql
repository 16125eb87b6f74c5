DELETE FROM twin_texts WHERE (property, value, twin) IN (SELECT v.property, v.value, v.twin FROM twin_texts AS v WHERE v.property = $1 LIMIT $2)
