"""Renders reports; the only importer of jinja2, weasyprint and polars."""
