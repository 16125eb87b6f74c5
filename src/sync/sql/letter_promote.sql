-- Before letter $1 goes: the first of its key that stays waits for nothing any more.
UPDATE dead_letters SET status = 'parked'
WHERE num = (SELECT MIN(other.num) FROM dead_letters AS other JOIN dead_letters AS this ON this.num = $1
             WHERE other.pipeline = this.pipeline AND other.key = this.key AND other.num <> $1)
