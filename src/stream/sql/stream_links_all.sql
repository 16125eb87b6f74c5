SELECT name, next FROM links
