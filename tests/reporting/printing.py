"""Prints one of the two documents of a report, without the rest of its folder, and reads it back."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pypdf

from pipeline.reporting.dataset import load
from pipeline.reporting.documents import DocumentJob, write_brief, write_evidence

__all__ = ["pages_of", "print_brief", "print_evidence"]


def print_brief(connection: duckdb.DuckDBPyConnection, folder: Path, *, rows_per_table: int = 200) -> Path:
    path = folder / "access-review.pdf"
    write_brief(load(connection), DocumentJob(folder=folder, data=(), tables=(), rows_per_table=rows_per_table), path)
    return path


def print_evidence(connection: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    path = folder / "access-review-evidence.pdf"
    write_evidence(load(connection), DocumentJob(folder=folder, data=(), tables=()), path)
    return path


def pages_of(path: Path) -> list[str]:
    """Return the text of each page, on one line."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(path).pages]
