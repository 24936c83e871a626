"""The three tables of an application, whatever format they come in, and what a reader of a format returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError

__all__ = [
    "TABLES",
    "Content",
    "FileTable",
    "ReadFile",
    "columns_of",
    "is_written_null",
    "read_bytes",
    "require_file",
    "required_text",
]


#: How databases write a missing value into a CSV file.
_NULLS = frozenset({"NULL", "\\N", "(null)", "<null>"})


@dataclass(frozen=True, slots=True)
class FileTable:
    """One table: its columns in order, and those that no row may lack."""

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]


TABLES = (
    FileTable(
        "accounts",
        (
            "account_id", "user_name", "email", "first_name", "last_name", "status", "created_at", "last_login_at",
            "account_type",
        ),
        ("account_id",),
    ),
    FileTable(
        "entitlements",
        ("entitlement_type", "entitlement_id", "entitlement_name", "description", "privileged"),
        ("entitlement_id",),
    ),
    FileTable("grants", ("account_id", "entitlement_id", "granted_at", "path"), ("account_id", "entitlement_id")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file that was read: its size in bytes, its hash, and its rows by what the manifest calls them.

    A file that is one table has its rows under its own name. ``ends_open`` says that its last line has no end of
    line, so it may be cut inside its last cell.
    """

    name: str
    size: int
    sha256: str
    rows: Mapping[str, int]
    ends_open: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The records of one table, in the order of the file. ``url`` names the file in the page log."""

    table: str
    url: str
    records: Iterator[Mapping[str, Any]]


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        ContentError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContentError(
            f"{path.name} cannot be read: {error.strerror}",
            where=str(path),
            hint="check the path and its permissions",
        ) from error


def require_file(table: FileTable, path: Path) -> None:
    """Reject a folder without the file of a table.

    Raises:
        ContentError: it is missing.
    """
    if not path.exists():
        raise ContentError(
            f"there is no {path.name} in '{path.parent.name}'",
            where=str(path),
            hint=f"export it too, with at least the headings {' and '.join(table.required)}; without any {table.name}, "
            "the headings alone are enough",
        )


def is_written_null(column: str, text: str) -> bool:
    """Return whether a database wrote a missing value as a word. Null is also a name, so in names only "NULL" is."""
    return text in _NULLS or (text.lower() == "null" and not column.endswith("_name"))


def columns_of(table: FileTable, names: tuple[str, ...], path: Path) -> list[str]:
    """Return the headings of a file that are not columns of the table.

    Raises:
        ContentError: a required column is missing.
    """
    for column in table.required:
        if column not in names:
            raise ContentError(
                f"the column '{column}' is missing from {path.name}",
                where=str(path),
                hint=f"the columns are: {', '.join(table.columns)}; 'access-review init --files' writes an example",
            )
    return [name for name in names if name and name not in table.columns]


def required_text(table: FileTable, record: Mapping[str, str | None], path: Path, place: str) -> None:
    """Reject a record without a value that the table needs.

    Raises:
        ContentError: it names the place and the column.
    """
    for column in table.required:
        if not record.get(column):
            raise ContentError(
                f"{place} of {path.name} has no {column}",
                where=str(path),
                hint="export the file again; if it was cut off, the export did not end",
            )
