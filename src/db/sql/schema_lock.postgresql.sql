-- Until the end of the transaction; the number is "gemel" in ASCII.
SELECT pg_advisory_xact_lock(444083299692)
