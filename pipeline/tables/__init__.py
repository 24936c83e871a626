"""Reads tables that people and other programs write: CSV files in the common dialects, and workbooks."""
