"""Monitoring: what ``watch`` and ``review serve`` tell a monitoring system, on an address of its own."""
