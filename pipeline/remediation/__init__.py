"""Turns findings and decisions into changes in Sisense: planned, approved, journalled, read back, verified."""
