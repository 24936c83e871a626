"""Sisense over its REST API: login, lists, single accounts and changes to them."""
