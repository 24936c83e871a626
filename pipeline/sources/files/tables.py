"""The three tables of an application, whatever format they come in, and what a reader of a format returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError
from pipeline.spelling import misspelt, nearest

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


#: Headings that an error shows, and letters of each.
_SHOWN_HEADINGS = 20
_SHOWN_LETTERS = 40


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
            hint=f"export it too, with at least {' and '.join(table.required)} as headings; without any "
            f"{table.name}, the headings alone are enough",
        )


def is_written_null(column: str, text: str) -> bool:
    """Return whether a database wrote a missing value as a word. Null is also a name, so in names only "NULL" is."""
    return text in _NULLS or (text.lower() == "null" and not column.endswith("_name"))


def columns_of(table: FileTable, names: tuple[str, ...], path: Path) -> str | None:
    """Return a sentence about the headings of a file that are not columns of the table; None if all are.

    A heading that is probably a misspelt column that the file lacks has that column beside it.

    Raises:
        ContentError: a required column is missing.
    """
    found = list(filter(None, names))
    for column in table.required:
        if column not in found:
            raise ContentError(
                f"the column '{column}' is missing from {path.name}",
                where=str(path),
                hint=_advice(table, column, found),
            )
    missing = [column for column in table.columns if column not in found]
    unread = [
        f"{name} (did you mean '{match}'?)" if (match := misspelt(name, missing)) else name
        for name in found
        if name not in table.columns
    ]
    return f"{path.name}: columns that are not read: {', '.join(unread)}" if unread else None


def _advice(table: FileTable, column: str, found: list[str]) -> str:
    """Return what to do about a missing column, with the headings that the file has."""
    shown = ", ".join(name[:_SHOWN_LETTERS] for name in found[:_SHOWN_HEADINGS])
    has = f"its headings are: {shown}{', ...' if len(found) > _SHOWN_HEADINGS else ''}"
    if match := nearest(column, [name for name in found if name not in table.columns]):
        return f"{has}; rename '{match}' if it is that column"
    if len(found) == 1:
        return f"the one heading is: {shown}; a comma, a semicolon or a tab must separate cells"
    return f"{has}; 'access-review init --files' writes an example"


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
