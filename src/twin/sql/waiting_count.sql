SELECT COUNT(*) FROM relationships_waiting
