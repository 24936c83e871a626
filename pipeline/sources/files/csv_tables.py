"""Reads the three tables of an application from CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError
from pipeline.sources.files.tables import (
    TABLES,
    Content,
    FileTable,
    ReadFile,
    columns_of,
    is_written_null,
    require_file,
    required_text,
)
from pipeline.tables.cells import TableError, trimmed
from pipeline.tables.delimited import CsvTable, read_table
from pipeline.wording import counted

__all__ = ["read"]


def read(folder: Path, note: Callable[[str], None], finished: Callable[[ReadFile], None]) -> Iterator[Content]:
    """Yield the tables of a folder; after the records of each were taken, ``finished`` receives its file.

    ``note`` receives a sentence about columns that are not read, and about an encoding that had to be guessed.

    Raises:
        ContentError: a file is missing, is not CSV, or a row of it is not whole.
    """
    for table in TABLES:
        path = folder / f"{table.name}.csv"
        yield Content(table.name, path.name, _records(table, path, note, finished))


def _records(
    table: FileTable, path: Path, note: Callable[[str], None], finished: Callable[[ReadFile], None]
) -> Iterator[Mapping[str, Any]]:
    require_file(table, path)
    content = read_table(path, known=table.columns, error=ContentError)
    if not content.names:
        raise ContentError(
            f"{path.name} is empty",
            where=str(path),
            hint=f"its first line must be: {','.join(table.columns)}",
        )
    if unread := columns_of(table, content.names, path):
        note(unread)
    if content.encoding == "windows-1252":
        note(f"{path.name}: read as Windows-1252; save it as 'CSV UTF-8' if names look wrong")
    rows = written_nulls = 0
    try:
        for line, cells in _whole_rows(content, path):
            record = {
                name: text
                for name, cell in zip(content.names, cells, strict=False)
                if name in table.columns and (text := trimmed(cell))
            }
            for name in [name for name, text in record.items() if is_written_null(name, text)]:
                del record[name]
                written_nulls += 1
            required_text(table, record, path, f"line {line}")
            rows += 1
            yield record
    except TableError as error:
        raise ContentError(f"{path.name}: {error.message}", where=str(path), hint=error.hint) from error
    if written_nulls:
        note(f"{path.name}: {counted(written_nulls, 'cell')} with the word NULL or \\N, read as empty")
    ends_open = not content.ends_with_newline
    finished(ReadFile(path.name, path.stat().st_size, content.sha256, {path.name: rows}, ends_open))


def _whole_rows(content: CsvTable, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, and refuse a last one that ends before its last cell and without an end of line."""
    previous: tuple[int, list[str]] | None = None
    for row in content.rows():
        if previous is not None:
            yield previous
        previous = row
    if previous is None:
        return
    line, cells = previous
    if len(cells) < len(content.names) and not content.ends_with_newline:
        raise ContentError(
            f"{path.name} is cut off: line {line}, the last one, has {counted(len(cells), 'cell')} instead of "
            f"{len(content.names)} and no end of line",
            where=str(path),
            hint="export the file again, and copy it whole",
        )
    yield previous
