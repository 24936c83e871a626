"""Runs the models on a Spark Connect server instead of DuckDB: the same statements, translated."""
