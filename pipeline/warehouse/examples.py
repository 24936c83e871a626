"""Runs the examples of the models: given rows, expected rows.

They share one database in memory, because making its tables takes longer than an example. Each runs in a transaction
that is rolled back, so it finds the tables empty but for its own rows. They run as tests, and in ``access-review
check``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipeline import resources
from pipeline.errors import ModelError
from pipeline.warehouse import checks, database, policy
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Example, Model

__all__ = ["example_tables", "given", "run_example"]

#: The default ``$as_of`` and ``$snapshot_id`` of an example.
_DEFAULTS: Mapping[str, Any] = {"as_of": datetime(2026, 1, 1), "snapshot_id": "example"}  # noqa: DTZ001 - UTC, as stored

#: Null in an expected cell, because TOML has no null.
_NULL = "<null>"


@contextmanager
def example_tables(models: Sequence[Model]) -> Iterator[Connection]:
    """Open a database in memory with every table that one of these models may read, without rows.

    The facts that ship with the program, such as the severities, are there.
    """
    with database.in_memory() as connection:
        connection.execute("set threads = 1")  # a few rows are faster without a second thread
        policy.load_facts(connection, resources.reference_data())
        for model in models:
            if model.columns:
                columns = ", ".join(f'"{column.name}" {column.type}' for column in model.columns)
                connection.execute(f"create table {model.table} ({columns})")
        lasting = connection.execute(
            "select distinct schema_name || '.' || table_name from duckdb_columns()"
            " where not (internal or is_nullable)"
        ).fetchall()
        for (table,) in lasting:  # Examples give only some columns; the others are null.
            connection.execute(f"create or replace table {table} as select * from {table}")
        yield connection


def run_example(connection: Connection, model: Model, example: Example) -> None:
    """Run one example in the tables of :func:`example_tables`, which it leaves as they were.

    Raises:
        ModelError: the rows differ from those expected, or the example does not fit the tables; it shows both.
    """
    connection.begin()
    try:
        values = given(connection, model, example)
        _compare(connection, model, example, values)
    except duckdb.Error as error:
        raise _wrong(model, example, str(error)) from error
    finally:
        connection.rollback()


def given(connection: Connection, model: Model, example: Example) -> dict[str, Any]:
    """Insert the rows of an example, and return the values that its model may bind.

    Raises:
        ModelError: the rows do not fit the tables.
    """
    for table, rows in example.given.items():
        _insert(connection, model, example, table, rows)
    return {**_DEFAULTS, **model.params, **{name: _plain(cell) for name, cell in example.parameters.items()}}


def _compare(connection: Connection, model: Model, example: Example, values: dict[str, Any]) -> None:
    cursor = connection.execute(model.sql, checks.bound(connection, model.sql, values))
    names = [column[0] for column in cursor.description]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    expected_rows = [{name: _plain(cell) for name, cell in row.items()} for row in example.expect]
    compared = list(dict.fromkeys(name for row in expected_rows for name in row))
    missing = [name for name in compared if name not in names]
    if missing and found:
        raise _wrong(model, example, f"the model has no column {missing}")
    remaining = [{name: row[name] for name in compared if name in row} for row in found]
    for row in expected_rows:
        match = next(
            (other for other in remaining if all(other.get(name) == cell for name, cell in row.items())), None
        )
        if match is None:
            raise _wrong(model, example, f"expected {row}\nfound    " + "\n         ".join(map(str, remaining)))
        remaining.remove(match)
    if remaining:
        raise _wrong(model, example, "not expected: " + "\n              ".join(map(str, remaining)))
    if example.population is not None:
        statement = f"select count(*) from ({model.population}\n)"
        row_count = connection.execute(statement, checks.bound(connection, statement, values)).fetchone()
        if row_count != (example.population,):
            raise _wrong(model, example, f"expected a population of {example.population}, found {row_count}")


def _insert(
    connection: Connection, model: Model, example: Example, table: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    for row in rows:
        columns = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(f"${position + 1}" for position in range(len(row)))
        try:
            connection.execute(
                f"insert into {table} ({columns}) values ({places})", [_plain(cell) for cell in row.values()]
            )
        except duckdb.Error as error:
            raise _wrong(model, example, f"the row {dict(row)} does not fit {table}: {error}") from error


def _plain(cell: Any) -> Any:
    """Convert a TOML cell to the value that DuckDB returns: times in UTC without a zone, and None for null."""
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.astimezone(UTC).replace(tzinfo=None)
    return None if cell == _NULL else cell


def _wrong(model: Model, example: Example, what: str) -> ModelError:
    return ModelError(
        f"the example '{example.name}' does not hold: {what}",
        where=str(model.path),
        hint="correct the statement or the example",
    )
