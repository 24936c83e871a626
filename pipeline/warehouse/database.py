"""Opens the database: for writing, for reading, or in memory, always with the same session settings.

While one process writes, DuckDB lets no other process read. A writer waits a bounded time for the lock, names its
holder, and then fails; everything slow (pulling pages, rendering) happens while the database is closed.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import duckdb

from pipeline import resources
from pipeline.errors import DatabaseLockedError, WarehouseError

__all__ = [
    "Connection",
    "confine",
    "empty",
    "in_memory",
    "insert",
    "reading",
    "release",
    "sandbox",
    "transaction",
    "without_comments",
    "writing",
]

Connection = duckdb.DuckDBPyConnection

#: Seconds to wait for another process before giving up, and between two tries.
LOCK_WAIT = 30.0
_LOCK_PAUSE = 0.25

#: No extension is ever fetched, and text becomes time in UTC whatever the machine's zone is.
_SESSION = """
    set autoinstall_known_extensions = false;
    set autoload_known_extensions = false;
    set enable_progress_bar = false;
    set TimeZone = 'UTC';
"""


#: Bytes that a connection may hold in memory before DuckDB puts the rest into a temporary folder beside the database:
#: a build of a million accounts stays within 4 GB. Where a machine or container allows less, DuckDB's limit holds.
_MEMORY_LIMIT = 2_800_000_000
#: The same while a report is rendered: its pages need memory outside DuckDB.
RENDERING_MEMORY = 1_000_000_000
#: Bytes that a connection needs between statements.
_RESTING_MEMORY = 64_000_000
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

#: Rows that one statement inserts. One statement for each row takes several times as long.
_ROWS_AT_ONCE = 100

#: DuckDB's message when a signal ended a query.
_INTERRUPTED = "Query interrupted"
#: A table or a column that a statement of ours names is not in the database.
_NOT_THERE = (duckdb.CatalogException, duckdb.BinderException)

#: The disk, or the memory, does not give what a statement needs.
_NO_ROOM = (duckdb.IOException, duckdb.OutOfMemoryException)


@contextmanager
def writing(path: Path, *, notify: Callable[[str], None], wait: float = LOCK_WAIT) -> Iterator[Connection]:
    """Open the database for writing, creating it and its lasting tables where they are missing.

    Raises:
        DatabaseLockedError: another process held it for longer than ``wait`` seconds.
        WarehouseError: it is not a database, cannot be written, or has other tables than this version knows.
    """
    connection = _connect(path, read_only=False, notify=notify, wait=wait)
    try:
        connection.execute(_SESSION)
        _limit_memory(connection, _MEMORY_LIMIT)
        with _interruptible():
            _make_tables(connection)
            yield connection
    except _NOT_THERE as error:
        hint = "name another file under [warehouse] database and extract into that; keep this one with its reports"
        raise _of_another_version(error, path, hint) from error
    except _NO_ROOM as error:
        raise WarehouseError(
            f"the database cannot be written: {str(error).splitlines()[0]}",
            where=str(path),
            hint="free some space if the disk or the memory is full, then run this again; the stored data is intact",
        ) from error
    finally:
        connection.close()


@contextmanager
def reading(
    path: Path, *, notify: Callable[[str], None], wait: float = LOCK_WAIT, memory: int = _MEMORY_LIMIT
) -> Iterator[Connection]:
    """Open an existing database read-only. ``memory`` is how many bytes it may hold before it goes to the disk.

    Raises:
        DatabaseLockedError: another process held it for longer than ``wait`` seconds.
        WarehouseError: the file does not exist, is not a database, or lacks a table or column that the block reads.
    """
    if not path.exists():
        raise WarehouseError(
            "there is no database yet",
            where=str(path),
            hint="run 'access-review run' or 'access-review extract' first",
        )
    connection = _connect(path, read_only=True, notify=notify, wait=wait)
    try:
        connection.execute(_SESSION)
        _limit_memory(connection, memory)
        known = "select count(*) from duckdb_tables() where schema_name = 'meta' and table_name = 'snapshots'"
        if connection.execute(known).fetchall() == [(0,)]:
            raise _foreign(path, "it has no table meta.snapshots")
        with _interruptible():
            yield connection
    except _NOT_THERE as error:
        hint = "run 'access-review build' again: it makes the tables that this version reads"
        raise _of_another_version(error, path, hint) from error
    finally:
        connection.close()


def release(connection: Connection) -> None:
    """Give the memory that earlier statements have left behind back to the system.

    DuckDB keeps what it has read, and what it no longer needs, until its limit. A lower limit makes it free both.
    """
    ((limit,),) = connection.execute("select current_setting('memory_limit')").fetchall()
    try:
        with suppress(duckdb.OutOfMemoryException):  # that much is in use
            connection.execute(f"set memory_limit = '{_RESTING_MEMORY} bytes'")
    finally:
        connection.execute(f"set memory_limit = '{limit}'")


@contextmanager
def sandbox(path: Path, *, notify: Callable[[str], None]) -> Iterator[Connection]:
    """Open the database read-only for a stranger's query: no files, no network, no attaching, no way back."""
    with reading(path, notify=notify) as connection:
        confine(connection)
        yield connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Keep everything the block does, or nothing."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.TransactionException):  # a commit that failed has rolled back already
            connection.rollback()
        raise


def insert(connection: Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows into a table by the names of its columns; columns that the rows do not name are null."""
    if rows:
        names = list(rows[0])
        columns = ", ".join(f'"{name}"' for name in names)
        place = f"({', '.join('?' for _ in names)})"
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            values = [[row[name] for name in names] for row in rows[start : start + _ROWS_AT_ONCE]]
            places = ", ".join([place] * len(values))
            connection.execute(f"insert into {table} ({columns}) values {places}", list(chain.from_iterable(values)))


def confine(connection: Connection, workspace: Path | None = None) -> None:
    """Take files, the network and attaching away from a connection for good; it keeps one folder, if one is named."""
    if workspace is not None:
        connection.execute("set allowed_directories = $folders", {"folders": [str(workspace.resolve())]})
        connection.execute("set temp_directory = $folder", {"folder": str(workspace.resolve())})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


@contextmanager
def in_memory(*, described: bool = False, only: str | None = None) -> Iterator[Connection]:
    """Open a database in memory with the lasting tables in it, without their descriptions unless they are wanted.

    ``only`` names a single table: making all of them takes a tenth of a second.
    """
    with empty() as connection:
        text = (resources.sql() / "tables.sql").read_text(encoding="utf-8")
        connection.execute(text if described else without_comments(text) if only is None else _only(text, only))
        yield connection


def _only(statements: str, table: str) -> str:
    """Return the statements of ``tables.sql`` that make the schemas, the scalar functions and one table."""
    function = r"create or replace macro (?!\S+ as table)"
    wanted = rf"^(?:create schema|{function}|(?:create|alter) table (?:if not exists )?{table} ).*?;$"
    return "\n".join(re.findall(wanted, statements, flags=re.MULTILINE | re.DOTALL))


def without_comments(statements: str) -> str:
    """Return ``tables.sql`` without what describes tables and columns, one line each: most of its time goes there."""
    return "".join(line for line in statements.splitlines(keepends=True) if not line.startswith("comment on "))


@contextmanager
def empty() -> Iterator[Connection]:
    """Open a database in memory without a single table."""
    connection = duckdb.connect()
    try:
        connection.execute(_SESSION)
        with _interruptible():
            yield connection
    finally:
        connection.close()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block as it ends everything else; DuckDB calls a query that it stopped a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


def _make_tables(connection: Connection) -> None:
    """Run ``tables.sql``, unless exactly this text ran last here and the tables still are as it left them."""
    text = (resources.sql() / "tables.sql").read_text(encoding="utf-8")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    with suppress(duckdb.CatalogException):  # the database is new, or of an earlier version
        if connection.execute("select sha256, columns_md5 from meta.tables_sql").fetchall() == [
            (sha256, _columns_md5(connection))
        ]:
            return
    with transaction(connection):
        connection.execute(text)
        connection.execute("delete from meta.tables_sql")
        insert(connection, "meta.tables_sql", [{"sha256": sha256, "columns_md5": _columns_md5(connection)}])


def _columns_md5(connection: Connection) -> str:
    """Return a hash of the columns of all tables but those that each build makes anew."""
    rows = connection.execute(
        """
        select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns()
        where schema_name not in ('system', 'staging', 'graph', 'findings', 'reports')
        or table_name in ('failed', 'rule_summary', 'unknown_subjects')
        order by schema_name, table_name, column_index"""
    ).fetchall()
    return hashlib.md5(repr(rows).encode(), usedforsecurity=False).hexdigest()


def _limit_memory(connection: Connection, most: int) -> None:
    row = connection.execute("select current_setting('memory_limit')").fetchone()
    amount, _, unit = str(row[0] if row else "").partition(" ")
    if float(amount) * _UNITS[unit] > most:
        connection.execute("set memory_limit = $limit", {"limit": f"{most} bytes"})


def _connect(path: Path, *, read_only: bool, notify: Callable[[str], None], wait: float) -> Connection:
    deadline = time.monotonic() + wait
    is_announced = False
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            text = str(error)
            if "Could not set lock" not in text:
                raise WarehouseError(
                    f"the database cannot be opened: {text.splitlines()[0]}",
                    where=str(path),
                    hint="check the path and its permissions",
                ) from error
            holder = _holder(text)
            if time.monotonic() >= deadline:
                raise DatabaseLockedError(
                    f"the database is still in use by {holder} after {wait:.0f} s",
                    where=str(path),
                    hint="wait for that process, or end it, and run this again",
                ) from error
            if not is_announced:
                notify(f"waiting up to {wait:.0f} s for {holder} to release {path}")
                is_announced = True
            time.sleep(_LOCK_PAUSE)
        except duckdb.Error as error:
            raise _foreign(path, str(error).splitlines()[0]) from error


def _foreign(path: Path, reason: str) -> WarehouseError:
    return WarehouseError(
        f"this is not a database of this program: {reason}",
        where=str(path),
        hint="name another file under [warehouse] database",
    )


def _of_another_version(error: duckdb.Error, path: Path, hint: str) -> WarehouseError:
    return WarehouseError(
        f"the database was written by another version of the program: {str(error).splitlines()[0]}",
        where=str(path),
        hint=hint,
    )


def _holder(text: str) -> str:
    found = re.search(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", text)
    return f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"
