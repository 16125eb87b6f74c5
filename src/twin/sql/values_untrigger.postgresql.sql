DROP TRIGGER IF EXISTS twin_values_follow ON twins
