"""Checks a whole database: every row can be read, rows that belong together are all there, and how large tables are.

``sql/database`` has the questions. Nothing is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline import resources
from pipeline.warehouse import copies, migrations, saved
from pipeline.warehouse.connection import Connection

__all__ = ["CheckedTable", "Checkup", "DamagedRows", "check", "readable"]

#: Schemas whose tables a build makes anew.
_BUILT = frozenset({"staging", "graph", "findings", "reports"})


@dataclass(frozen=True, slots=True)
class DamagedRows:
    """Something that is wrong: the table, and what is wrong with its rows."""

    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A table, the number of its rows, and its part of the file in bytes.

    Small tables share blocks. Each has an equal part of such a block, so that the parts add up to the used space.
    """

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Checkup:
    """The result of a check. ``bytes`` is the size of the file, ``free_bytes`` the space in it that is used again."""

    bytes: int
    free_bytes: int
    tables: tuple[CheckedTable, ...]
    problems: tuple[DamagedRows, ...]


def readable(connection: Connection) -> tuple[dict[str, tuple[int, int]], list[DamagedRows]]:
    """Read every row of every table; return the number and a hash of the rows of each, and what cannot be read.

    DuckDB compares the checksum of each block that it reads. The hash does not depend on the order of the rows.
    """
    digests: dict[str, tuple[int, int]] = {}
    problems = []
    for table in saved.rows(connection, resources.sql() / "database", "tables"):
        name, (schema, short) = table["table_name"], (table["schema_name"], table["short_name"])
        try:
            rows = connection.execute(
                f'select count(*), sum(hash(t)::hugeint) from {schema}."{short}" as t'
            ).fetchall()
            digests[name] = rows[0][0], rows[0][1] or 0
        except duckdb.Error as error:
            problems.append(DamagedRows(name, f"cannot be read: {str(error).splitlines()[0]}"))
            if isinstance(error, duckdb.FatalException | duckdb.InternalException):
                break  # DuckDB answers nothing more on this connection
    return digests, problems


def check(connection: Connection, path: Path) -> Checkup:
    """Read all rows of the open database at ``path``, look for missing ones, and measure every table."""
    size = sum(each.stat().st_size for each in [path, *copies.wal_files(path)])
    [file] = saved.rows(connection, resources.sql() / "database", "file")
    digests, problems = readable(connection)
    counts = {name: rows for name, (rows, _) in digests.items()}
    if problems:  # the other questions would stop at the same rows
        return Checkup(size, file["free_bytes"], (), tuple(problems))
    if not migrations.has_expected_columns(connection):
        problems.append(
            DamagedRows("meta.tables_sql", "the lasting tables have other columns than they were made with")
        )
    blocks: dict[str, list[int]] = {}
    for table in saved.rows(connection, resources.sql() / "database", "tables"):
        name = table["table_name"]
        blocks[name] = [block for (block,) in _asked(connection, "blocks", table=name)]
        for question, values in _questions(table, counts[name]):
            problems += _found(connection, question, **values)
    problems += _found(connection, "built_rows", tables=list(counts), counts=list(counts.values()))
    for query in saved.load_queries(resources.sql() / "database" / "checks"):
        problems += [DamagedRows(*row) for row in connection.execute(query.sql).fetchall()]
    tables = tuple(CheckedTable(name, counts[name], part) for name, part in _parts(blocks, file["block_bytes"]))
    return Checkup(size, file["free_bytes"], tables, tuple(problems))


def _parts(blocks: Mapping[str, Sequence[int]], block_bytes: int) -> Iterator[tuple[str, int]]:
    """Yield each table with its part of the file, from the blocks that hold its rows."""
    tables = Counter(block for held in blocks.values() for block in held)
    for name, held in blocks.items():
        yield name, round(sum(block_bytes / tables[block] for block in held))


def _questions(table: dict[str, Any], rows: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield what is asked about one table, and the parameters."""
    name = table["table_name"]
    is_lasting = table["schema_name"] not in _BUILT and rows > 0
    if is_lasting and table["has_snapshot_id"]:
        yield "unknown_snapshots", {"table": name}
    if is_lasting and table["has_build_id"]:
        yield "unknown_builds", {"table": name}
    if table["schema_name"] == "raw" and table["has_snapshot_id"]:
        yield "raw_rows", {"table": name, "resource": table["short_name"]}


def _found(connection: Connection, name: str, **values: object) -> list[DamagedRows]:
    return [DamagedRows(*row) for row in _asked(connection, name, **values)]


def _asked(connection: Connection, name: str, **values: object) -> list[tuple[Any, ...]]:
    return connection.execute(saved.statement("database", name), values).fetchall()
