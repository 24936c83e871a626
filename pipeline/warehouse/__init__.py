"""The DuckDB database and the SQL models; the only importer of duckdb."""
