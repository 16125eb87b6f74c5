DELETE FROM twin_numbers WHERE (property, value, twin) IN (SELECT v.property, v.value, v.twin FROM twin_numbers AS v WHERE v.property = $1 LIMIT $2)
