"""What the tables of the current build were made from, so that the next build makes only those that would differ.

``meta.made_from`` holds an identity for each table: a hash of everything its rows depend on
(:mod:`pipeline.warehouse.identities`). It is written in the transaction of the build that made the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.warehouse.database import Connection

__all__ = ["Made", "MadeTable", "record", "remarks"]

_HISTORY = (
    "accounts", "roles", "groups", "memberships", "grants", "register", "evaluations", "unknown_subjects", "trend",
    "trend_figures",
)  # fmt: skip


#: The tables that the database has: their columns, and the number of their rows.
_PRESENT = """
    select schema_name || '.' || table_name as table_name, any_value(estimated_size) as row_count,
        md5(string_agg(column_name || ' ' || data_type, ',' order by column_index)) as columns_md5
    from duckdb_columns() join duckdb_tables() using (schema_name, table_name)
    where schema_name in ('staging', 'graph', 'findings', 'reports', 'baseline', 'policy') group by all"""


@dataclass(frozen=True, slots=True)
class MadeTable:
    """One table: what it was made from, how many rows it has, and the warnings of its checks."""

    identity: str
    rows: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """The tables of the current build by name, and what the rows of ``history`` were made from.

    ``history`` has, by table and snapshot, the build that published the rows, how many they are, and their identity.
    """

    tables: Mapping[str, MadeTable] = field(default_factory=dict)
    history: Mapping[tuple[str, str], tuple[str, int, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection) -> Made:
        """Return what is on record, as far as it still describes the tables that the database has."""
        recorded = connection.execute(
            "select table_name, snapshot_id, build_id, identity, row_count, warnings, columns_md5 from meta.made_from"
        ).fetchall()
        present = {name: rest for name, *rest in connection.execute(_PRESENT).fetchall()} if recorded else {}
        current = connection.execute("select build_id from reference.snapshot").fetchall()
        tables = {
            name: MadeTable(identity, rows, tuple(warnings))
            for name, snapshot_id, build_id, identity, rows, warnings, columns in recorded
            if snapshot_id is None
            and [(build_id,)] == current
            and name in present
            and present[name][1] == columns
            and rows in {None, present[name][0]}
        }
        published = {
            (name, snapshot_id): (build_id, identity) for name, snapshot_id, build_id, identity, *_ in recorded
        }
        counts = " union all ".join(
            f"select 'history.{name}', snapshot_id, build_id, count(*) from history.{name} group by all"
            for name in _HISTORY
        )
        history = {}
        for name, snapshot_id, build_id, rows in connection.execute(counts).fetchall():
            recorded_id, identity = published.get((name, snapshot_id), (None, ""))
            # An earlier version of the program publishes rows without saying what they were made from.
            history[name, snapshot_id] = build_id, rows, identity if recorded_id == build_id else f"build {build_id}"
        return cls(tables, history)

    def holds(self, table: str, identity: str) -> bool:
        """Return whether the database has the table as it would be made from this identity."""
        return table in self.tables and self.tables[table].identity == identity

    def published(self, table: str, snapshot_id: str) -> str:
        """Return what a snapshot's rows of a table of ``history`` were made from; empty if it has none."""
        return self.history.get((table, snapshot_id), ("", 0, ""))[2]

    def earlier(self, table: str, snapshot_id: str) -> list[tuple[str, int, str]]:
        """Return what the rows of the snapshots before this one were made from: (snapshot, rows, identity)."""
        return sorted(
            (earlier, rows, identity)
            for (name, earlier), (_, rows, identity) in self.history.items()
            if name == table and earlier < snapshot_id
        )


def remarks(connection: Connection, table: str, identity: str) -> tuple[str, ...] | None:
    """Return the warnings about a table that the current build has; None if it was not made from this."""
    row = connection.execute(
        "select warnings from meta.made_from join reference.snapshot using (build_id)"
        " where made_from.snapshot_id is null and table_name = $table and identity = $identity",
        {"table": table, "identity": identity},
    ).fetchone()
    return tuple(row[0]) if row else None


def record(
    connection: Connection, build_id: str, tables: Mapping[str, MadeTable], published: Mapping[tuple[str, str], str]
) -> None:
    """Replace what is on record by the tables of this build, and by the rows of ``history`` that it published."""
    connection.execute("delete from meta.made_from where snapshot_id is null")
    for name, snapshot_id in published:
        connection.execute(
            "delete from meta.made_from where table_name = $name and snapshot_id = $snapshot_id",
            {"name": name, "snapshot_id": snapshot_id},
        )
    entries: Iterable[tuple[str, str | None, MadeTable]] = [
        *((name, None, table) for name, table in tables.items()),
        *((name, snapshot_id, MadeTable(identity)) for (name, snapshot_id), identity in published.items()),
    ]
    columns = list(
        zip(*((name, of, made.identity, made.rows, list(made.warnings)) for name, of, made in entries), strict=True)
    )
    connection.execute(
        f"""insert into meta.made_from by name select made.*, present.columns_md5 from (
            select unnest($names) as table_name, unnest($snapshots) as snapshot_id, $build_id as build_id,
            unnest($identities) as identity, unnest($rows) as row_count, unnest($warnings) as warnings
        ) as made left join ({_PRESENT}) as present using (table_name)""",
        {
            "build_id": build_id,
            **dict(zip(("names", "snapshots", "identities", "rows", "warnings"), map(list, columns), strict=True)),
        },
    )
