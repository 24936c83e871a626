"""Access reviews of Sisense that an auditor can re-check."""

__version__ = "0.1.0"
