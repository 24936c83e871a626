"""Reads the systems under review; the only importer of httpx."""
