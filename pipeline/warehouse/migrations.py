"""Brings a database to the version of its lasting tables that this program has.

``sql/tables.sql`` says what these tables are. ``sql/migrations/<number>_<name>.sql`` says what changes in the tables
and rows of the version before that number; all that a database lacks run in one transaction, after it was copied.
The number is recorded in ``meta.schema_version``. A database without that table has version 1.

Some tables are made by every build, and are no part of this: the next build makes them as it needs them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import __version__, resources
from pipeline.clock import as_stored, utc_now
from pipeline.errors import WarehouseError
from pipeline.warehouse import copies
from pipeline.warehouse.connection import Connection, foreign, insert, transaction

__all__ = [
    "Migration",
    "backup_name",
    "has_expected_columns",
    "load",
    "newest_version",
    "prepare",
    "require_current",
    "require_known",
    "require_same",
]

#: The version of databases that do not record one.
_UNRECORDED = 1
_FILE = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """What changes from the version before: a header, and statements for tables and rows that are there already."""

    version: int
    sql: str


def load(folder: Path | None = None) -> list[Migration]:
    """Return every migration, oldest first; ``folder`` is ``sql/migrations`` unless it is given."""
    paths = sorted((folder or resources.sql() / "migrations").glob("*.sql"))
    return [
        Migration(int(found["number"]), path.read_text(encoding="utf-8"))
        for path in paths
        if (found := _FILE.fullmatch(path.name))
    ]


def newest_version() -> int:
    """Return the version of the lasting tables that this program makes and reads."""
    return max(migration.version for migration in load())


def version_of(connection: Connection, path: Path, catalog: str | None = None) -> int | None:
    """Return the version of a database; None if it has no tables at all.

    ``catalog`` is its name if it is attached; otherwise it is the database that the connection has opened.

    Raises:
        WarehouseError: it has tables, but not those of this program.
    """
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = coalesce($catalog, current_database())",
        {"catalog": catalog},
    ).fetchall()
    if not tables:
        return None
    if ("meta", "snapshots") not in tables:
        raise foreign(path, "it has no table meta.snapshots")
    if ("meta", "schema_version") not in tables:
        return _UNRECORDED
    place = f'"{catalog}".meta' if catalog else "meta"
    [(version,)] = connection.execute(f"select max(version) from {place}.schema_version").fetchall()
    return int(version or _UNRECORDED)


def require_known(connection: Connection, path: Path) -> int:
    """Return the version of a database of this program that this version of the program can open or upgrade.

    Raises:
        WarehouseError: it is not a database of this program, or a newer version of the program made it.
    """
    version = version_of(connection, path)
    if version is None:
        raise foreign(path, "it has no table meta.snapshots")
    if version > newest_version():
        rows = connection.execute("select max_by(tool_version, version) from meta.schema_version").fetchall()
        raise WarehouseError(
            f"the database has schema version {version}, made by version {rows[0][0]} of the program; this version "
            f"({__version__}) knows schema versions up to {newest_version()}",
            where=str(path),
            hint=f"install version {rows[0][0]} of the program or a later one; nothing was changed",
        )
    return version


def require_current(connection: Connection, path: Path) -> None:
    """Refuse to read a database whose lasting tables are not of this version.

    Raises:
        WarehouseError: as :func:`require_known` does, or the database must be upgraded first.
    """
    version = require_known(connection, path)
    if version < newest_version():
        raise WarehouseError(
            f"the database has schema version {version}, made by an earlier version of the program; this version "
            f"reads schema version {newest_version()}",
            where=str(path),
            hint="run 'access-review database upgrade': it keeps a copy beside the database; so do 'run' and 'build'",
        )


def require_same(connection: Connection, path: Path, catalog: str) -> None:
    """Refuse to take rows from an attached database whose lasting tables are not of this version.

    Raises:
        WarehouseError: it is of another version, or not of this program.
    """
    version = version_of(connection, path, catalog)
    if version != newest_version():
        raise WarehouseError(
            f"the database has schema version {version}, but this one has {newest_version()}",
            where=str(path),
            hint="upgrade the older one with 'access-review --config PATH database upgrade', then run this again",
        )


def prepare(connection: Connection, path: Path, *, notify: Callable[[str], None]) -> None:
    """Make the lasting tables of a new database, or upgrade those of an older one; do nothing if they are current.

    ``connection`` is open for writing, so that no other process uses the database meanwhile.

    Raises:
        WarehouseError: the database is of a newer version or not of this program, or there is no room for the copy.
        duckdb.Error: a statement does not fit the tables that are there; they are as before.
    """
    text = (resources.sql() / "tables.sql").read_text(encoding="utf-8")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    known = newest_version()
    version = version_of(connection, path)
    if version is not None and require_known(connection, path) == known:
        with suppress(duckdb.CatalogException):  # it has lost that table
            made_by = connection.execute("select sha256 from meta.tables_sql").fetchall()
            if made_by == [(sha256,)] and has_expected_columns(connection):
                return
    pending = [migration for migration in load() if version is not None and migration.version > version]
    if pending:
        backup = backup_name(path, version or 0)
        notify(
            f"upgrading the database from schema version {version} to {known}; it is copied to {backup} first, and "
            "'access-review database prune-backups' deletes that copy"
        )
        connection.execute("checkpoint")  # the file alone is the database then
        copies.copy(path, backup)
    with transaction(connection):
        for migration in pending:
            connection.execute(migration.sql)
        connection.execute(text)
        connection.execute("delete from meta.tables_sql")
        insert(connection, "meta.tables_sql", [{"sha256": sha256, "columns_md5": _columns_md5(connection)}])
        if version != known:
            applied = {"applied_at": as_stored(utc_now()), "tool_version": __version__}
            versions = [migration.version for migration in pending] or [known]
            insert(connection, "meta.schema_version", [{"version": each, **applied} for each in versions])


def has_expected_columns(connection: Connection) -> bool:
    """Return whether the lasting tables still have the columns that ``tables.sql`` left them with."""
    recorded = connection.execute("select columns_md5 from meta.tables_sql").fetchall()
    return recorded == [(_columns_md5(connection),)]


def backup_name(path: Path, version: int) -> Path:
    """Return where the copy of a database of one version is kept: beside it."""
    return path.with_name(f"{path.name}.v{version}.bak")


def _columns_md5(connection: Connection) -> str:
    """Return a hash of the columns of all tables but those that each build makes anew."""
    rows = connection.execute(
        """
        select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns()
        where database_name = current_database() and schema_name not in ('staging', 'graph', 'findings', 'reports')
        or table_name in ('failed', 'rule_summary', 'unknown_subjects')
        order by schema_name, table_name, column_index"""
    ).fetchall()
    return hashlib.md5(repr(rows).encode(), usedforsecurity=False).hexdigest()
