"""Writes the inputs of a build as files (source rows, SQL, other tables), and rebuilds the same build from them.

Layout below a report folder::

    raw/<table>.parquet                the rows of ``raw`` of this snapshot, sweeps that were not accepted too
    sql/                               tables.sql and every model, as they were used
    inputs/<schema>.<table>.parquet    reference, policy (the roster too), baseline, review, and the rows of meta and
                                       history that the build read

Rows are sorted by every distinguishing column, so the same build gives the same bytes on any number of threads.
DuckDB streams them to the files; memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline import resources
from pipeline.errors import RenderError, UsageError, WarehouseError
from pipeline.warehouse import database, files, saved, snapshots
from pipeline.warehouse.build import rebuild
from pipeline.warehouse.connection import reason_of
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model_file import combined_sha256, load_folder, model_files
from pipeline.warehouse.pseudonyms import is_pseudonymised
from pipeline.warehouse.rules import in_force

__all__ = ["FOLDERS", "parquet_rows", "previous_snapshot", "rebuilt", "require_current", "unwritten", "write"]

#: The folders that this module writes and reads.
FOLDERS = ("raw", "sql", "inputs")

#: Filled before a build for that build alone, and so written whole.
_WHOLE = ("reference", "policy", "baseline")
#: Tables about the extract that a build or a report reads, besides its rows.
_META = ("meta.snapshots", "meta.sources", "meta.pages", "meta.reconciliation")
#: Rows of ``raw`` that are held in memory until they are written, no more than DuckDB works on at once: the record of
#: one group with all its members may have megabytes. Other rows are small, and DuckDB's own number will do.
_RECORDS_AT_ONCE = 2_048
_BUILD = "meta.builds"
_FILE = re.compile(r"(?:(?P<schema>[a-z]+)\.)?(?P<table>[a-z][a-z0-9_]*)\.parquet")


def require_current(connection: Connection) -> None:
    """Refuse a build whose tables may not be those that this version reads.

    Raises:
        WarehouseError: the build was made with other SQL than the program has now.
    """
    made_with = connection.execute(
        "select sql_sha256 from reference.snapshot join meta.builds using (build_id)"
    ).fetchall()
    texts = [
        path.read_text(encoding="utf-8") for path in [resources.sql() / "tables.sql", *model_files(resources.sql())]
    ]
    if made_with != [(combined_sha256(hashlib.sha256(text.encode()).hexdigest() for text in texts),)]:
        raise WarehouseError(
            "the current build was made with other SQL than the program has now, by another version",
            where="meta.builds",
            hint="run 'access-review build' again, then the report",
        )


def write(connection: Connection, folder: Path) -> None:
    """Write ``raw/``, ``sql/`` and ``inputs/`` of the current build; of a copy with pseudonyms, only ``sql/``.

    Raises:
        WarehouseError: the build was made with other SQL than the program has now.
        RenderError: a file cannot be written.
    """
    require_current(connection)
    row = connection.execute("select snapshot_id, build_id, finished_at from reference.snapshot").fetchone()
    snapshot_id, build_id, finished_at = row or (None, None, None)
    for name in FOLDERS:
        (folder / name).mkdir()
    texts = _copy_sql(folder / "sql")
    if is_pseudonymised(connection):  # source rows and inputs have names in every form
        return
    values = {"snapshot_id": snapshot_id}
    for table in _tables(connection, "raw"):
        _copy(
            connection,
            f"select * from {table} where snapshot_id = $snapshot_id order by source, sweep, page, ordinal",
            folder / "raw" / f"{table.partition('.')[2]}.parquet",
            values,
            rows_at_once=_RECORDS_AT_ONCE,
        )
    whole = [table for schema in _WHOLE for table in _tables(connection, schema)]
    selects: dict[str, tuple[str, dict[str, object]]] = {
        table: (f"select * from {table} order by all", {}) for table in whole
    }
    for table in _META:
        selects[table] = (f"select * from {table} where snapshot_id = $snapshot_id order by all", values)
    selects[_BUILD] = (f"select * from {_BUILD} where build_id = $build_id", {"build_id": build_id})
    read = {table for text in texts for table in re.findall(r"\bhistory\.\w+", text)}
    for table in sorted(read & set(_tables(connection, "history"))):
        selects[table] = (f"select * from {table} where snapshot_id < $snapshot_id order by all", values)
    known = {"snapshot_id": snapshot_id, "finished_at": finished_at}
    for query in saved.load_queries(resources.sql() / "inputs"):
        bound = {name: known[name] for name in query.parameters}
        selects[query.name] = (f"select * from ({query.sql}) order by all", bound)
    for table, (select, bound) in selects.items():
        _copy(connection, select, folder / "inputs" / f"{table}.parquet", bound)


@contextmanager
def rebuilt(folder: Path, workspace: Path) -> Iterator[Connection]:
    """Yield a database in memory with the build made once more from a report folder, and from nothing else.

    The SQL of the folder may come from anywhere, so it can neither read nor write a file outside ``workspace``.

    Raises:
        WarehouseError: the files cannot be read, or a model does not run.
        ConfigurationError: the rules on record do not fit the SQL.
        UsageError: an earlier version made the folder, in a form that this one cannot rebuild.
    """
    with database.empty() as connection:
        try:
            for path in sorted([*(folder / "raw").glob("*.parquet"), *(folder / "inputs").glob("*.parquet")]):
                _load(connection, path)
            database.confine(connection, workspace)
            connection.execute(database.without_comments((folder / "sql" / "tables.sql").read_text(encoding="utf-8")))
            snapshot_id, as_of, overrides = _parameters(connection, folder)
            models = load_folder(folder / "sql")
            if all(model.table != "findings.register" for model in models):
                raise UsageError(
                    "an earlier version made this folder, in a form that this version cannot rebuild",
                    where=str(folder),
                    hint="use the version that manifest.json names",
                )
            rules = in_force(models, overrides, where="inputs/meta.builds.parquet")
            rebuild(connection, models, rules, snapshots.get(connection, snapshot_id), as_of)
            yield connection  # a table that the folder's SQL did not make fails in the caller's hands
        except (duckdb.Error, OSError, UnicodeDecodeError) as error:
            raise _unreadable(folder, str(error).splitlines()[0]) from error


def unwritten(error: Exception, path: Path) -> RenderError:
    """Return the error for a file that DuckDB could not write: the system's reason, without DuckDB's wording."""
    shown = str(path).encode(errors="backslashreplace").decode()
    said = reason_of(error) if shown == str(path) else "its path contains bytes that are not UTF-8"
    return RenderError(
        f"the file cannot be written: {said}",
        where=shown,
        hint="check the free space on that disk, the folder and its permissions; --out names another",
    )


def parquet_rows(connection: Connection, path: Path) -> int | None:
    """Return the row count in a Parquet file's metadata, or None if the file is not Parquet."""
    metadata = files.parquet_metadata(path)
    try:
        row = connection.execute(f"select num_rows from {metadata.sql}", metadata.values).fetchone()
    except duckdb.Error:
        return None
    return int(row[0]) if row else None


def previous_snapshot(folder: Path) -> str | None:
    """Return the id of the snapshot before that of a report folder; None for the first, or if it does not say."""
    path = folder / "inputs" / "meta.snapshots.parquet"
    if not path.is_file():
        return None
    table = files.parquet(path)
    with database.empty() as connection:
        try:
            row = connection.execute(f"select previous_snapshot_id from {table.sql}", table.values).fetchone()
        except duckdb.Error:
            return None
    return str(row[0]) if row and row[0] is not None else None


def _copy_sql(target: Path) -> list[str]:
    """Copy every SQL file; return the texts of the models."""
    source = resources.sql()
    models = model_files(source)
    for path in [source / "tables.sql", *models]:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())  # copyfile names the wrong one of the two files if the disk is full
    return [path.read_text(encoding="utf-8") for path in models]


def _tables(connection: Connection, schema: str) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where schema_name = $schema and not temporary order by table_name",
        {"schema": schema},
    ).fetchall()
    return [f"{schema}.{name}" for (name,) in rows]


def _copy(
    connection: Connection, select: str, path: Path, values: dict[str, object], *, rows_at_once: int = 122_880
) -> None:
    try:
        connection.execute(
            f"copy ({select}) to $path (format parquet, compression zstd, row_group_size {rows_at_once})",
            {"path": str(path), **values},
        )
    except duckdb.Error as error:
        raise unwritten(error, path) from error


def _load(connection: Connection, path: Path) -> None:
    named = _FILE.fullmatch(path.name)
    if named is None:
        raise _unreadable(path, "its name is not that of a table")
    schema = named["schema"] or "raw"
    connection.execute(f"create schema if not exists {schema}")
    rows = files.parquet(path)
    connection.execute(f'create table {schema}."{named["table"]}" as select * from {rows.sql}', rows.values)


def _parameters(connection: Connection, folder: Path) -> tuple[str, datetime, dict[str, dict[str, Any]]]:
    """Return the snapshot, its as-of, and the parameters of each rule."""
    rows = connection.execute("select snapshot_id, as_of, parameters from meta.builds").fetchall()
    try:
        [(snapshot_id, as_of, parameters)] = rows
        overrides = {
            rule_id: {key: value for key, value in given.items() if not (key == "severity" and value is None)}
            for rule_id, given in json.loads(parameters)["rules"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(folder / "inputs" / "meta.builds.parquet", "it is not the record of one build") from error
    return snapshot_id, as_of, overrides


def _unreadable(path: Path, reason: str) -> WarehouseError:
    return WarehouseError(
        f"the report folder cannot be read back: {reason}",
        where=str(path),
        hint="ask its author for the folder again",
    )
