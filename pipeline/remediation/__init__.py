"""Changes in Sisense from findings and decisions: planned, approved, journalled, read back and verified."""
