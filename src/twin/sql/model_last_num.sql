-- The highest number that was ever given, also to models that are gone: twins' numbers are made of it, and histories name them.
SELECT value FROM facts WHERE name = 'models.last_num'
