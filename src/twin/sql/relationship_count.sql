SELECT COUNT(*) FROM relationships
