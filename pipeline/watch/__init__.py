"""Watching: extract, build and compare, again and again, and tell receivers what changed."""
