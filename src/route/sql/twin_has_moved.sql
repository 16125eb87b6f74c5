-- Whether twin $1 ever had another model: then its number was another.
SELECT 1 FROM twin_moves WHERE new_num = $1 LIMIT 1
