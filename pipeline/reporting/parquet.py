"""Writes rows as a Parquet file, with the types that the database gave them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars

from pipeline.errors import RenderError

__all__ = ["write"]


def write(rows: Any, path: Path) -> None:
    """Write an Arrow stream (anything with ``__arrow_c_stream__``) to ``path``; what stood there stays until then.

    Raises:
        RenderError: the file cannot be written.
    """
    # Only the stream is handed over: Polars remembers the type of what it is given for good (see dataset.py).
    frame = polars.DataFrame(SimpleNamespace(__arrow_c_stream__=rows.__arrow_c_stream__))
    aside = path.with_name(f".{path.name}.part")
    try:
        frame.write_parquet(aside)
        aside.replace(path)
    except (OSError, polars.exceptions.PolarsError) as error:
        aside.unlink(missing_ok=True)
        raise RenderError(
            f"the file cannot be written: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="name another path; a column that Parquet has no type for can be cast to varchar",
        ) from error
