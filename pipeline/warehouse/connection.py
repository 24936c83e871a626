"""Connects to DuckDB: waits for the lock of a file, and gives every connection the same session settings.

While one process writes, DuckDB lets no other process read. What the tables are is not known here.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import duckdb

from pipeline.errors import DatabaseLockedError, WarehouseError

__all__ = [
    "LOCK_WAIT",
    "MEMORY_LIMIT",
    "Connection",
    "empty",
    "foreign",
    "insert",
    "limit_memory",
    "opened",
    "reason_of",
    "transaction",
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
#: a build of a million accounts stays within 3 GB. Where a machine or container allows less, DuckDB's limit holds.
MEMORY_LIMIT = 2_500_000_000
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

#: Rows that one statement inserts. One statement for each row takes several times as long.
_ROWS_AT_ONCE = 100

#: Why a system refuses to read or write a file, as its messages end that DuckDB quotes.
_REFUSALS = tuple(
    os.strerror(code)
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
)

#: DuckDB's message when a signal ended a query.
_INTERRUPTED = "Query interrupted"


@contextmanager
def opened(
    path: Path,
    *,
    read_only: bool,
    notify: Callable[[str], None],
    wait: float = LOCK_WAIT,
    memory: int = MEMORY_LIMIT,
) -> Iterator[Connection]:
    """Open a file of DuckDB, whatever tables it has; a file that does not exist is made, unless it is only read.

    Raises:
        DatabaseLockedError: another process held it for longer than ``wait`` seconds.
        WarehouseError: it is not a database, or cannot be opened.
    """
    connection = _connect(path, read_only=read_only, notify=notify, wait=wait)
    try:
        connection.execute(_SESSION)
        limit_memory(connection, memory)
        with _interruptible():
            yield connection
    finally:
        connection.close()


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


def foreign(path: Path, reason: str) -> WarehouseError:
    """Return the error for a file that is not a database of this program."""
    return WarehouseError(
        f"this is not a database of this program: {reason}",
        where=str(path),
        hint="name another file under [warehouse] database",
    )


def reason_of(error: Exception) -> str:
    """Return the system's reason in an error of DuckDB that quotes one, else the first line of the error."""
    text = str(error)
    return next((reason for reason in _REFUSALS if reason in text), text.splitlines()[0])


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block as it ends everything else; DuckDB calls a query that it stopped a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


def limit_memory(connection: Connection, most: int) -> None:
    """Limit the memory of a connection to this many bytes, or to fewer where the machine or container has less."""
    connection.execute("reset memory_limit")
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
            if "not a valid DuckDB database" in text:
                raise foreign(path, "it is not a valid DuckDB database file") from error
            if "Could not set lock" not in text:
                raise WarehouseError(
                    f"the database cannot be opened: {reason_of(error)}",
                    where=str(path),
                    hint="check the path, its permissions and the free space",
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
            raise foreign(path, str(error).splitlines()[0]) from error


def _holder(text: str) -> str:
    found = re.search(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", text)
    return f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"
