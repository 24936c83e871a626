"""A Sisense to run against: a real HTTP server with a seeded, synthetic organisation."""
