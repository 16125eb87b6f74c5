SELECT num, path FROM value_indexes WHERE state = 'ready'
