"""Opens the database: for writing, for reading, or in memory, always with the same session settings.

While one process writes, DuckDB lets no other process read. A writer waits a bounded time for the lock, names its
holder, and then fails; everything slow (pulling pages, rendering) happens while the database is closed. A database of
an older version is upgraded when it is opened for writing (:mod:`pipeline.warehouse.migrations`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import migrations
from pipeline.warehouse.connection import (
    LOCK_WAIT,
    MEMORY_LIMIT,
    Connection,
    empty,
    insert,
    opened,
    reason_of,
    transaction,
)

__all__ = [
    "NO_ROOM",
    "Connection",
    "confine",
    "empty",
    "in_memory",
    "insert",
    "reading",
    "release",
    "sandbox",
    "shrink",
    "transaction",
    "without_comments",
    "writing",
]

#: Bytes that a connection may hold in memory while a report is rendered: its pages need memory outside DuckDB.
RENDERING_MEMORY = 1_000_000_000
#: Bytes that a database in memory may hold beside the one that is built, before the rest goes to the disk.
SIDE_MEMORY = 600_000_000
#: Bytes that a connection needs between statements.
_RESTING_MEMORY = 64_000_000

#: A table or a column that a statement of ours names is not in the database.
_NOT_THERE = (duckdb.CatalogException, duckdb.BinderException)

#: What DuckDB raises if the disk or the memory does not give what a statement needs. The last two have other reasons
#: too: a commit or a checkpoint that cannot be written is told by its text.
NO_ROOM = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException, duckdb.FatalException)
_UNWRITTEN = re.compile("Could not (?:write|open|truncate|sync|create)|[Ff]sync failed|No space left")


@contextmanager
def writing(path: Path, *, notify: Callable[[str], None], wait: float = LOCK_WAIT) -> Iterator[Connection]:
    """Open the database for writing, creating it and its lasting tables where they are missing.

    A database of an older version is copied and upgraded first.

    Raises:
        DatabaseLockedError: another process held it for longer than ``wait`` seconds.
        WarehouseError: it is not a database, cannot be written, is of a newer version, or has other tables than this
            version knows.
    """
    try:
        with opened(path, read_only=False, notify=notify, wait=wait) as connection:
            migrations.prepare(connection, path, notify=notify)
            yield connection
    except _NOT_THERE as error:
        hint = "name another file under [warehouse] database and extract into that; keep this one with its reports"
        raise _of_another_version(error, path, hint) from error
    except NO_ROOM as error:
        is_unwritten = isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException)
        if not is_unwritten and not _UNWRITTEN.search(str(error)):
            raise
        raise WarehouseError(
            f"the database cannot be written: {reason_of(error)}",
            where=str(path),
            hint="free some space if the disk or the memory is full, then run this again; the stored data is intact",
        ) from error


@contextmanager
def reading(
    path: Path, *, notify: Callable[[str], None], wait: float = LOCK_WAIT, memory: int = MEMORY_LIMIT
) -> Iterator[Connection]:
    """Open an existing database read-only. ``memory`` is how many bytes it may hold before it goes to the disk.

    Raises:
        DatabaseLockedError: another process held it for longer than ``wait`` seconds.
        WarehouseError: the file does not exist, is not a database, is of another version, or lacks a table or column
            that the block reads.
    """
    if not path.exists():
        raise WarehouseError(
            "there is no database yet",
            where=str(path),
            hint="run 'access-review run' or 'access-review extract' first",
        )
    try:
        with opened(path, read_only=True, notify=notify, wait=wait, memory=memory) as connection:
            migrations.require_current(connection, path)
            yield connection
    except _NOT_THERE as error:
        hint = "run 'access-review build' again: it makes the tables that this version reads"
        raise _of_another_version(error, path, hint) from error


def release(connection: Connection) -> None:
    """Give the memory that earlier statements have left behind back to the system.

    DuckDB keeps what it has read, and what it no longer needs, until its limit. A lower limit makes it free both.
    """
    ((limit,),) = connection.execute("select current_setting('memory_limit')").fetchall()
    try:
        shrink(connection)
    finally:
        connection.execute("set memory_limit = $limit", {"limit": limit})


def shrink(connection: Connection) -> None:
    """Hold a connection to little memory from now on: enough to read its tables, parts of them from the disk."""
    with suppress(duckdb.OutOfMemoryException):  # that much is in use
        connection.execute("set memory_limit = $limit", {"limit": f"{_RESTING_MEMORY} bytes"})


@contextmanager
def sandbox(path: Path, *, notify: Callable[[str], None]) -> Iterator[Connection]:
    """Open the database read-only for a stranger's query: no files, no network, no attaching, no way back."""
    with reading(path, notify=notify) as connection:
        confine(connection)
        yield connection


def confine(connection: Connection, workspace: Path | None = None) -> None:
    """Take files, the network and attaching away from a connection for good; it keeps one folder, if one is named."""
    if workspace is not None:
        connection.execute("set allowed_directories = $folders", {"folders": [str(workspace.resolve())]})
        connection.execute("set temp_directory = $folder", {"folder": str(workspace.resolve())})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


@contextmanager
def in_memory(*, described: bool = False, only: str | None = None, spill: Path | None = None) -> Iterator[Connection]:
    """Open a database in memory with the lasting tables in it, without their descriptions unless they are wanted.

    ``only`` names a single table: making all of them takes a tenth of a second. ``spill`` is a folder that DuckDB
    makes when the database outgrows :data:`SIDE_MEMORY`, and removes when it is closed; without it nothing limits it.
    """
    with empty() as connection:
        if spill is not None:
            connection.execute("set temp_directory = $folder", {"folder": str(spill)})
            connection.execute("set memory_limit = $limit", {"limit": f"{SIDE_MEMORY} bytes"})
        text = (resources.sql() / "tables.sql").read_text(encoding="utf-8")
        connection.execute(text if described else without_comments(text) if only is None else _only(text, only))
        yield connection


def _only(statements: str, table: str) -> str:
    """Return the statements of ``tables.sql`` that make the schemas, the scalar functions and one table."""
    function = r"create or replace macro (?!\S+ as table)"
    wanted = rf"^(?:create schema|{function}|create table if not exists {table} ).*?;$"
    return "\n".join(re.findall(wanted, statements, flags=re.MULTILINE | re.DOTALL))


def without_comments(statements: str) -> str:
    """Return ``tables.sql`` without what describes tables and columns, one line each: most of its time goes there."""
    return "".join(line for line in statements.splitlines(keepends=True) if not line.startswith("comment on "))


def _of_another_version(error: duckdb.Error, path: Path, hint: str) -> WarehouseError:
    return WarehouseError(
        f"the database was written by another version of the program: {str(error).splitlines()[0]}",
        where=str(path),
        hint=hint,
    )
