"""Benchmarks: this program, its peer and its limit in one run, alternating; nothing here is a test."""
