"""Finds the files that ship with the program: ``sql/``, ``reports/templates/`` and ``data/reference/``.

A wheel has them under ``pipeline/_bundled``, a checkout at its top. No other module needs to know which.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["reference_data", "sql", "templates"]

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_bundled"
_ROOT = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def sql() -> Path:
    """Return the folder of the models."""
    return _ROOT / "sql"


def templates() -> Path:
    """Return the folder of the report templates, style sheets and fonts."""
    return _ROOT / "reports" / "templates"


def reference_data() -> Path:
    """Return the folder of the default policy and reference lists."""
    return _ROOT / "data" / "reference"
