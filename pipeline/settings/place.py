"""Where the configuration is unless another file is named; the command line needs no more of it to show its help."""

from pathlib import Path

__all__ = ["DEFAULT_PATH"]

DEFAULT_PATH = Path("access-review.toml")
