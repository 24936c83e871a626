"""The page on which reviewers decide: routes, pages and the server. It holds no rule about decisions.

Everything shown comes from the campaign's store, and every decision goes there. Nothing here opens DuckDB, so that
other commands can use the database while the page is served.
"""
