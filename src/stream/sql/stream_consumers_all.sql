SELECT name, num, next, lost FROM consumers ORDER BY name, num
