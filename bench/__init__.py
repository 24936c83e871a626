"""Benchmarks: measure this program, a peer and a limit alternately in one run. They are not tests."""
