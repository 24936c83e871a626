"""Writes rows as a Parquet file, with the types that the database gave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars

from pipeline.atomic import replace_file
from pipeline.errors import RenderError
from pipeline.reporting.frames import to_frame

__all__ = ["write"]


def write(rows: Any, path: Path) -> None:
    """Write the rows of a DuckDB relation to ``path``; an earlier file there is replaced once they are all written.

    Raises:
        QueryError: a column has a type that Parquet cannot hold.
        RenderError: the file cannot be written.
    """
    frame = to_frame(rows)
    try:
        with replace_file(path) as draft:
            frame.write_parquet(draft)
    except (OSError, polars.exceptions.PolarsError) as error:
        raise RenderError(
            f"the file cannot be written: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="name another path; a column that Parquet has no type for can be cast to varchar",
        ) from error
