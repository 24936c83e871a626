"""Every file that DuckDB reads is opened here: that file, and no other.

DuckDB takes a path for a pattern, so that ``people[1].csv`` reads ``people1.csv`` beside it, and it takes a folder
``source=x`` for the value of a column ``source``. Both are switched off here, and nothing in ``pipeline/`` or
``sql/`` calls a reader of DuckDB by itself. Paths that DuckDB writes are not patterns.

How DuckDB reads a path: ``*``, ``?`` and ``[`` make it a pattern, in which ``[?]`` stands for the character alone,
and in a pattern ``\\`` parts folders on every system (duckdb, ``LocalFileSystem::Glob``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError

__all__ = ["Table", "json", "parquet", "parquet_metadata"]

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Table:
    """A table function to stand after ``from``, and the values that it binds."""

    sql: str
    values: dict[str, list[str]]


def json(paths: Sequence[Path], options: str) -> Table:
    """Return the rows of JSON files, all together; ``options`` are those of ``read_json``.

    Raises:
        UsageError: DuckDB has no way to name one of them.
    """
    return Table(f"read_json($files, hive_partitioning = false, {options})", _bound(paths))


def parquet(*paths: Path) -> Table:
    """Return the rows of Parquet files of the same columns, all together.

    Raises:
        UsageError: DuckDB has no way to name one of them.
    """
    return Table("read_parquet($files, hive_partitioning = false)", _bound(paths))


def parquet_metadata(path: Path) -> Table:
    """Return the metadata of a Parquet file, as ``parquet_file_metadata`` does.

    Raises:
        UsageError: DuckDB has no way to name it.
    """
    return Table("parquet_file_metadata($files)", _bound([path]))


def _bound(paths: Sequence[Path]) -> dict[str, list[str]]:
    return {"files": [_exactly(path) for path in paths]}


def _exactly(path: Path) -> str:
    """Return the pattern that one file alone fits."""
    text = str(path)
    shown = text.encode(errors="backslashreplace").decode()
    if shown != text:
        raise UsageError(
            "DuckDB cannot open a path that contains bytes that are not UTF-8",
            where=shown,
            hint="rename the folder or the file, or move it",
        )
    if not _PATTERN.search(text):
        return text
    if os.sep == "/" and "\\" in text:
        raise UsageError(
            "a path with a backslash cannot have '*', '?' or '[' as well",
            where=text,
            hint="rename the folder or the file, or move it",
        )
    return _PATTERN.sub(r"[\g<0>]", text)
