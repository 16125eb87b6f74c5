SELECT part, key, first, belongs_to FROM members ORDER BY part, key, first
