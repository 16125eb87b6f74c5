DELETE FROM receipts WHERE num <= (SELECT max(num) FROM receipts) - $1
