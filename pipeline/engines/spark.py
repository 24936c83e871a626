"""Runs the models after staging on a Spark Connect server, which shares a lake of Parquet files with the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.engines.connection import Refused, SparkConnection
from pipeline.engines.lake import Lake
from pipeline.engines.translation import UnsupportedError, bind, macros, tables_of, translate, view
from pipeline.engines.types import duckdb_type, fits, spark_type
from pipeline.errors import ModelError
from pipeline.settings import Secret

__all__ = ["Database", "Runnable", "Spark"]

#: The schemas whose models run on the engine. The others read records of the sources, or are made by hand.
SCHEMAS = frozenset({"graph", "findings", "reports"})


class Runnable(Protocol):
    """What the engine needs to know of a model; its columns are empty if its header does not declare them."""

    @property
    def table(self) -> str:
        """Return the table it makes, ``schema.table``."""

    @property
    def schema(self) -> str:
        """Return the schema of that table."""

    @property
    def path(self) -> Path:
        """Return its file."""

    @property
    def sql(self) -> str:
        """Return its select."""

    @property
    def is_view(self) -> bool:
        """Return whether its rows are not stored."""

    @property
    def reads(self) -> Sequence[str]:
        """Return the tables that it reads."""

    @property
    def columns(self) -> Sequence[Any]:
        """Return the columns that its header declares, each with ``name`` and ``type``."""


class Database(Protocol):
    """The database that the tables come from and end up in; columns are names with DuckDB's types in lower case."""

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return the columns of a table."""

    def read(self, table: str) -> Any:
        """Return the rows of a table as a reader of Arrow record batches."""

    def store(self, table: str, columns: Sequence[tuple[str, str]], rows: Any) -> int:
        """Make a table of Arrow data or of Parquet files; return how many rows it has."""


class Staging(Protocol):
    """What runs the models that stay in the database, and the questions about tables that are only there."""

    def create(self, model: Any, values: Mapping[str, object]) -> int:
        """Make the table of a model; return how many rows it has."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a select."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where the engine is, the lake that it shares with the program (a path or an address), and a token for it."""

    url: str
    lake: str
    token: Secret | None = None


class Spark:
    """Runs the models of one build on the engine; ``here`` runs those of staging. ``sql`` is the models' folder.

    Raises:
        ConfigurationError: the packages of the extra are missing, or an address is malformed.
        WarehouseError: the engine does not answer.
    """

    def __init__(self, location: Location, database: Database, here: Staging, sql: Path) -> None:
        self._location = location
        self._database = database
        self._here = here
        self._known = macros((sql / "tables.sql").read_text(encoding="utf-8"))
        self._connection = SparkConnection(location.url, location.token)
        self._build_id = ""
        self._there: set[str] = set()
        self._views: set[str] = set()
        self._statements: dict[str, str] = {}
        self._columns: dict[str, list[tuple[str, str]]] = {}

    def begin(self, build_id: str, plan: Sequence[tuple[Runnable, Mapping[str, object]]]) -> None:
        """Translate every model and let the engine analyse it on tables without rows.

        Raises:
            ModelError: one of them cannot run on the engine; nothing has been made yet.
            WarehouseError: the engine does not answer.
        """
        self._build_id = build_id
        self._lake = Lake(self._location.lake, build_id)
        seen: set[str] = set()
        for model, values in plan:
            if model.schema not in SCHEMAS:
                columns = [(column.name, spark_type(column.type)) for column in model.columns]
            else:
                with _reported(model):
                    statement = translate(model.sql, values, self._known)
                    for table in sorted({*model.reads} - seen):
                        listed = [(name, spark_type(kind)) for name, kind in self._database.columns(table)]
                        self._connection.empty_view(view(table), listed)
                        seen.add(table)
                    found = self._connection.columns(statement, bind(values))
                    self._statements[model.table] = _declared(model, statement, found)
                declared = [(column.name, column.type) for column in model.columns]
                self._columns[model.table] = declared or [(name, duckdb_type(kind)) for name, kind in found]
                columns = [(name, spark_type(kind)) for name, kind in declared] or found
            self._connection.empty_view(view(model.table), columns)
            seen.add(model.table)

    def create(self, model: Runnable, values: Mapping[str, object]) -> int:
        """Make the table of a model, in the lake and in the database; return how many rows it has.

        Raises:
            ModelError: the engine does not run it.
            WarehouseError: the engine or the lake does not answer.
        """
        if model.is_view:
            self._views.add(model.table)
        if model.schema not in SCHEMAS or model.is_view:
            return self._here.create(model, values)
        self._bring({*model.reads})
        statement, bound, folder = self._statements[model.table], bind(values), self._lake.folder(model.table)
        self._there.add(model.table)  # before it is: a write that fails half-way leaves a folder to remove
        with _reported(model):
            self._lake.remove(model.table)
            self._connection.write(statement, bound, folder)
            has_files = self._lake.holds(model.table)
            if has_files:  # Sail writes none if there are no rows; the view without rows is already there
                self._connection.view(view(model.table), folder)
        rows = self._lake.read(model.table) if has_files else []
        return self._database.store(model.table, self._columns[model.table], rows)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a select: from the engine if it has made one of its tables, else from the database.

        A view is only in the database, as are the tables that it joins.

        Raises:
            ModelError: it does not run.
        """
        tables = tables_of(statement)
        if not tables & self._there or tables & self._views:
            return self._here.rows(statement)
        self._bring(tables)
        try:
            return self._connection.rows(translate(statement, {}, self._known), {})
        except (Refused, UnsupportedError) as error:
            raise ModelError(
                f"a check does not run on the engine: {error}", where="sql/", hint="correct the header"
            ) from error

    def end(self, replaced_build_id: str | None, *, is_published: bool) -> None:
        """Keep one build in the lake, the published one; end the session."""
        self._connection.close()
        obsolete = replaced_build_id if is_published else self._build_id
        if obsolete and not (is_published and obsolete == self._build_id):
            lake = Lake(self._location.lake, obsolete)
            for table in self._there:
                lake.remove(table)

    def _bring(self, tables: set[str]) -> None:
        """Store the tables that the engine does not have yet in the lake."""
        for table in sorted(tables - self._there):
            self._there.add(table)
            self._lake.write(table, self._database.read(table))
            self._connection.view(view(table), self._lake.folder(table))


def _declared(model: Runnable, statement: str, found: Sequence[tuple[str, str]]) -> str:
    """Return a select of the columns as the header declares them; Spark infers other widths than DuckDB."""
    if not model.columns:
        return statement
    declared = [(column.name, spark_type(column.type)) for column in model.columns]
    misfits = [
        f"{name} is {kind}, not {wanted}"
        for (name, kind), (_, wanted) in zip(found, declared, strict=False)
        if not fits(kind, wanted)
    ]
    if [name for name, _ in found] != [name for name, _ in declared] or misfits:
        raise Refused("its columns are not those of its header: " + (", ".join(misfits) or "their names or order"))
    listed = ", ".join(f"cast(`{name}` as {kind}) as `{name}`" for name, kind in declared)
    return f"select {listed} from ({statement}) as made"  # noqa: S608 - names of our own headers


@contextmanager
def _reported(model: Runnable) -> Iterator[None]:
    try:
        yield
    except (Refused, UnsupportedError) as error:
        raise ModelError(
            f"the model {model.table} does not run on the engine: {error}",
            where=str(model.path),
            hint="correct the SQL, or leave out [warehouse] engine to run it in DuckDB",
        ) from error
