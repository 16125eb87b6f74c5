-- The highest number a letter ever had, so that none comes back.
SELECT value FROM facts WHERE name = 'dead_letters.last'
