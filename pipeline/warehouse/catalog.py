"""Every table and column of the database with its description, from the headers and ``tables.sql``.

No database is needed: the tables are created empty in memory, so that their names and types are those of a build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.warehouse import checks, database
from pipeline.warehouse.comments import comment
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import order

__all__ = ["CatalogColumn", "CatalogTable", "catalog"]

#: The order of the schemas: first the tables behind the report files, last the raw data.
_SCHEMAS = (
    "reports", "graph", "findings", "review", "history", "baseline", "meta", "policy", "reference", "staging", "raw",
)  # fmt: skip
#: Where to look up the description of a column without its own: the first of these tables with that column name.
_SAME_AS: Mapping[str, Sequence[str]] = {
    "findings": (
        "reports.findings",
        "reports.rule_summary",
        "graph.groups",
        "graph.people",
        "policy.sod_pairs",
        "graph.review_decisions",
        "graph.objects",
        "graph.row_access",
    ),
    "review": ("review.campaigns",),
    "history": ("reports.findings", "meta.snapshots", "meta.builds"),
    "baseline": ("reports.findings", "meta.snapshots", "meta.builds", "review.campaigns"),
    "meta": ("meta.snapshots", "meta.sources", "meta.builds"),
    "policy": ("policy.roles", "policy.service_accounts", "policy.exceptions"),
    "reference": ("meta.snapshots", "meta.builds", "meta.rule_runs"),
    "raw": ("raw.users",),
}
#: Columns that only the tables of single rules have.
_RULE_COLUMNS = {
    "verdict": "failed or unknown; a member of the population without a row has passed",
    "reference_type": "role or group",
    "reference_id": "the id that no role or group has",
    "scope": "all or privileged: the access that the review covers",
    "excused_rule_id": "the rule that the exception excuses",
    "party_type": "account or invitation; empty if the shares could not be read",
    "party_id": "the account, or the address of an invitation; empty if the finding is about the object as a whole",
}
_VALUES = {"snapshot_id": "catalog", "as_of": datetime(2026, 1, 1)}  # noqa: DTZ001 - UTC, as stored; no rows are made


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column: its DuckDB type in lower case, and its description."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table, ``schema.name``, with its description and its columns in order."""

    name: str
    description: str
    columns: tuple[CatalogColumn, ...]


def catalog(models: Sequence[Model]) -> list[CatalogTable]:
    """Return every table that the program creates, schema by schema, those for readers first.

    Raises:
        ModelError: the models do not fit together.
    """
    with database.in_memory(described=True) as connection:
        lasting = frozenset(name for name, _ in _tables(connection))
        built = order([model for model in models if model.schema not in {"landed", "completeness"}], lasting)
        for model in built:
            _create(connection, model)
        comment(connection, built)
        descriptions = dict(_tables(connection))
        columns: dict[str, list[CatalogColumn]] = {name: [] for name in descriptions}
        for table, name, kind, text in connection.execute(
            """
            select schema_name || '.' || table_name, column_name, lower(data_type), comment
            from duckdb_columns() where not internal order by schema_name, table_name, column_index
            """
        ).fetchall():
            columns[table].append(CatalogColumn(name, kind, text or ""))
    own = {(table, column.name): column.description for table in columns for column in columns[table]}
    return [
        CatalogTable(table, descriptions[table], tuple(_described(table, column, own) for column in columns[table]))
        for table in sorted(columns, key=lambda table: (_SCHEMAS.index(table.partition(".")[0]), table))
    ]


def _tables(connection: Connection) -> Iterator[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables() where not internal"
        " union all"
        " select schema_name || '.' || view_name, coalesce(comment, '') from duckdb_views() where not internal"
    ).fetchall()
    yield from rows


def _create(connection: Connection, model: Model) -> None:
    if model.is_view:
        connection.execute(f"create view {model.table} as {model.sql}")
    elif model.columns:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in model.columns)
        connection.execute(f"create table {model.table} ({columns})")
    else:  # A rule declares no columns, so run its statement on the empty tables.
        values = checks.bound(connection, model.sql, {**_VALUES, **model.params})
        connection.execute(f"create table {model.table} as {model.sql}", values)


def _described(table: str, column: CatalogColumn, own: Mapping[tuple[str, str], str]) -> CatalogColumn:
    schema, _, name = table.partition(".")
    places = [table, f"graph.{name}", *_SAME_AS.get(schema, ())]
    texts = (own.get((place, column.name)) for place in places)
    text = next((text for text in texts if text), _RULE_COLUMNS.get(column.name, ""))
    return CatalogColumn(column.name, column.type, text)
