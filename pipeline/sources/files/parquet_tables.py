"""Reads the three tables of an application from Parquet files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError
from pipeline.sources.files.tables import (
    TABLES,
    Content,
    FileTable,
    ReadFile,
    columns_of,
    read_bytes,
    require_file,
    required_text,
)
from pipeline.tables.cells import column_name, trimmed

__all__ = ["read"]

#: Rows turned into records at once.
_BATCH = 20_000


def read(folder: Path, note: Callable[[str], None], finished: Callable[[ReadFile], None]) -> Iterator[Content]:
    """Yield the tables of a folder, as :func:`pipeline.sources.files.csv_tables.read` does.

    Raises:
        ContentError: a file is missing, is not Parquet, or a row of it is not whole.
    """
    for table in TABLES:
        path = folder / f"{table.name}.parquet"
        yield Content(table.name, path.name, _records(table, path, note, finished))


def _records(
    table: FileTable, path: Path, note: Callable[[str], None], finished: Callable[[ReadFile], None]
) -> Iterator[Mapping[str, Any]]:
    import polars
    from polars.exceptions import PolarsError

    require_file(table, path)
    content = read_bytes(path)
    try:
        headings = {heading: column_name(heading) for heading in polars.read_parquet_schema(io.BytesIO(content))}
        if unread := columns_of(table, tuple(headings.values()), path):
            note(unread)
        known = {heading: name for heading, name in headings.items() if name in table.columns}
        frame = polars.read_parquet(io.BytesIO(content), columns=list(known)).rename(known)
    except PolarsError as error:
        raise ContentError(
            f"{path.name} is not a Parquet file, or was cut off: {str(error).splitlines()[0]}",
            where=str(path),
            hint="export the file again, and copy it whole",
        ) from error
    rows = 0
    for batch in frame.iter_slices(_BATCH):
        for row in batch.iter_rows(named=True):
            rows += 1
            try:
                record = {name: text for name, value in row.items() if (text := _text(value))}
            except ValueError as error:
                raise ContentError(
                    f"row {rows} of {path.name} has a value that is not text, a number or a time: {error}",
                    where=str(path),
                    hint="write one value into each cell, as text",
                ) from error
            required_text(table, record, path, f"row {rows}")
            yield record
    finished(ReadFile(path.name, len(content), hashlib.sha256(content).hexdigest(), {path.name: rows}))


def _text(value: object) -> str | None:
    """Return a value as a CSV file would have it: whole numbers without a fraction, times in UTC.

    Raises:
        ValueError: it is a list, an object, or bytes that are not text.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        if value != value:  # noqa: PLR0124  not a number, which is how other programs write a missing value
            return None
        return str(int(value)) if value == value // 1 else str(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if isinstance(value, list | dict | tuple):
        raise ValueError(type(value).__name__)  # noqa: TRY004  the caller wraps it
    return trimmed(str(value))
