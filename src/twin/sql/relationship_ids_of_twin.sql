-- The ids of the relationships that go out from twin number $1.
SELECT id FROM relationships WHERE source = $1 ORDER BY id
