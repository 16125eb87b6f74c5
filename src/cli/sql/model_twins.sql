-- How many twins there are of model number $1.
SELECT twin_count FROM models WHERE num = $1
