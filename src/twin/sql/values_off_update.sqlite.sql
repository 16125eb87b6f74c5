DROP TRIGGER IF EXISTS twin_values_on_update
