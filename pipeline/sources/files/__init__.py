"""Reads applications that have no API here: their accounts, entitlements and grants come in files."""
