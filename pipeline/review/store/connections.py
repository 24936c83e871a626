"""Opens the file of a store: a connection for each thread that needs one, and one writer at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Self

from pipeline import resources
from pipeline.errors import UsageError, WarehouseError
from pipeline.warehouse import saved

__all__ = ["SCHEMA_VERSION", "Row", "StoreFile", "as_text", "create", "day", "moment", "statement"]

#: Version of ``sql/store/tables.sql``.
SCHEMA_VERSION = 1
#: Marks the file as one of this program.
_APPLICATION_ID = 0x41525653
#: Seconds to wait for another process that writes.
_BUSY_SECONDS = 10.0
_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"

Row = sqlite3.Row


@cache
def statement(name: str) -> str:
    """Return the SQL of ``sql/store/<name>.sql``."""
    return saved.statement("store", name)


def as_text(moment: datetime) -> str:
    """Return a moment with a zone as the store keeps it: in UTC, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def moment(text: str) -> datetime:
    """Return a moment that the store keeps, aware, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str | None) -> date | None:
    """Return a day that the store keeps."""
    return date.fromisoformat(text) if text else None


class StoreFile:
    """The SQLite file of one campaign, for any number of threads and processes.

    A committed transaction is on the disk before the call returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        #: One writer of this process at a time, in the order in which they come: SQLite's own waiting is not fair.
        self._writer = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing store.

        Raises:
            UsageError: there is none.
            WarehouseError: the file is not a store, or belongs to another version of the program.
        """
        if not path.is_file():
            raise UsageError(
                "the page of this campaign has not been prepared",
                where=str(path),
                hint="run 'access-review review serve' or 'access-review review invite' first",
            )
        store = cls(path)
        try:
            with store.reading() as connection:
                [application_id] = connection.execute("pragma application_id").fetchone()
                [version] = connection.execute("pragma user_version").fetchone()
        except WarehouseError:
            store.close()
            raise
        if (application_id, version) != (_APPLICATION_ID, SCHEMA_VERSION):
            store.close()
            raise WarehouseError(
                f"the file of the review page has version {version}, this program reads version {SCHEMA_VERSION}",
                where=str(path),
                hint="use the version of the program that made it until the campaign is signed off",
            )
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; all that the block reads is of one moment.

        Raises:
            WarehouseError: the file cannot be read.
        """
        with self._lent() as connection:
            connection.execute("begin")
            try:
                yield connection
            finally:
                connection.execute("rollback")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the only connection that may write; keep everything the block does, or nothing.

        Raises:
            WarehouseError: another process writes for too long, or the file cannot be written.
        """
        with self._writer, self._lent() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
                connection.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):  # a commit that failed may have rolled back already
                    connection.execute("rollback")
                raise

    def rows(self, name: str, /, **values: object) -> list[sqlite3.Row]:
        """Return the rows of ``sql/store/<name>.sql``."""
        with self.reading() as connection:
            return connection.execute(statement(name), values).fetchall()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or _connect(self.path)
            yield connection
        except sqlite3.DatabaseError as error:
            if type(error) not in {sqlite3.OperationalError, sqlite3.DatabaseError}:  # a rule of the tables
                raise
            raise WarehouseError(
                f"the file of the review page cannot be used: {error}",
                where=str(self.path),
                hint="check the disk and the permissions, and that no other program holds the file; "
                "restore a damaged file from a copy",
            ) from error
        finally:
            if connection is not None:
                with self._lock:
                    self._idle.append(connection)


def create(path: Path) -> sqlite3.Connection:
    """Open a new file and make its tables in a transaction, which is left open."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma application_id = {_APPLICATION_ID}")
    connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
    connection.executescript(f"begin;\n{(resources.sql() / 'store' / 'tables.sql').read_text(encoding='utf-8')}")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # The pool lends a connection to one thread at a time.
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    return connection
