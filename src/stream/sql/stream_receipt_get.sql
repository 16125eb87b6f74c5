SELECT hash, key, version, place FROM receipts WHERE name = $1
