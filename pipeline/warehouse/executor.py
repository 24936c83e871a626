"""Where the models of a build run: in DuckDB, or in an engine that is handed in.

Whatever runs them, their tables end up in the database, and every other part of a build finds them there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb

from pipeline.errors import ModelError
from pipeline.warehouse import files
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model

__all__ = ["Executor", "InDuckDB", "TableExchange", "replacing"]


class Executor(Protocol):
    """Makes the tables of models, and answers questions about them."""

    def begin(self, build_id: str, plan: Sequence[tuple[Model, Mapping[str, object]]]) -> None:
        """Get ready for the models of a build, in their order, each with the values that it binds.

        Raises:
            ModelError: one of them cannot run here; nothing has been made yet.
        """

    def create(self, model: Model, values: Mapping[str, object]) -> int:
        """Make the table of a model in the database; return how many rows it has.

        Raises:
            ModelError: the model does not run.
        """

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a select on tables that have been made; it binds no values.

        Raises:
            ModelError: an engine does not run it.
            duckdb.Error: the database does not run it.
        """

    def end(self, replaced_build_id: str | None, *, is_published: bool) -> None:
        """Tidy up: keep nothing of the build that this one replaces, or of this one if it is not published."""


class InDuckDB:
    """Runs models in the database itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, build_id: str, plan: Sequence[tuple[Model, Mapping[str, object]]]) -> None:
        """Do nothing: DuckDB says what is wrong with a model when it runs."""

    def create(self, model: Model, values: Mapping[str, object]) -> int:
        """Make the table of a model, or its view; return how many rows it has."""
        try:
            kind = "view" if model.is_view else "table"
            made = self._connection.execute(f"create {kind} {model.table} as {model.sql}", dict(values)).fetchall()
            if model.is_view:
                made = self._connection.execute(f"select count(*) from {model.table}").fetchall()
        except duckdb.Error as error:
            raise ModelError(
                f"the model {model.table} does not run: {error}", where=str(model.path), hint="correct the SQL"
            ) from error
        return int(made[0][0]) if made else 0

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a select."""
        return self._connection.execute(statement).fetchall()

    def end(self, replaced_build_id: str | None, *, is_published: bool) -> None:
        """Do nothing: there is nothing beside the database."""


@contextmanager
def replacing(connection: Connection, executor: Executor) -> Iterator[None]:
    """End an executor after the block, which publishes a build in place of the current one, or fails."""
    row = connection.execute("select build_id from reference.snapshot").fetchone()
    try:
        yield
    except BaseException:
        executor.end(None, is_published=False)
        raise
    executor.end(row[0] if row else None, is_published=True)


class TableExchange:
    """Gives the rows of tables as Arrow data, and stores such rows as tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return the names and types of a table's columns, the types in lower case."""
        rows = self._connection.execute(f"describe {table}").fetchall()
        return [(name, kind.lower()) for name, kind, *_ in rows]

    def read(self, table: str) -> Any:
        """Return the rows of a table as a reader of Arrow record batches."""
        return self._connection.sql(f"from {table}").to_arrow_reader()

    def store(self, table: str, columns: Sequence[tuple[str, str]], rows: Any) -> int:
        """Make a table of these columns from rows with the same names; return how many it has.

        ``rows`` are Arrow data, or the paths of Parquet files, which DuckDB reads in less time and memory. Without
        files, the table has no rows.

        Raises:
            ModelError: a value does not fit its column.
        """
        listed = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in columns)
        if rows == []:
            nothing = ", ".join(f'null as "{name}"' for name, _ in columns)
            given = files.Table(f"(select {nothing} where false)", {})
        elif isinstance(rows, list):
            given = files.parquet(*rows)
        else:
            given = files.Table("exchanged_rows", {})
            self._connection.register(given.sql, rows)
        try:
            created = self._connection.execute(
                f"create table {table} as select {listed} from {given.sql}", given.values
            ).fetchone()
        except duckdb.ConversionException as error:
            raise ModelError(
                f"the rows of {table} do not fit its columns: {error}", where=table, hint="correct the header"
            ) from error
        finally:
            self._connection.unregister("exchanged_rows")
        return int(created[0]) if created else 0
