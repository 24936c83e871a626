"""Every example of a model gives the same rows on Spark Connect as in DuckDB."""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from pipeline import resources
from pipeline.engines.connection import SparkConnection
from pipeline.engines.translation import bind, macros, translate, view
from pipeline.warehouse import checks, examples
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Example, Model
from pipeline.warehouse.model_file import load_folder
from pipeline.warehouse.statement import Statement

pytestmark = pytest.mark.xdist_group("engines")

ALL = load_folder(resources.sql())
MODELS = [model for model in ALL if model.schema in {"graph", "findings", "reports"}]
MACROS = macros((resources.sql() / "tables.sql").read_text(encoding="utf-8"))


class Both:
    """The tables of the examples in DuckDB, and in a session that reads their rows as Parquet files."""

    def __init__(self, connection: Connection, session: SparkConnection, folder: Path) -> None:
        self.connection = connection
        self.session = session
        self.folder = folder
        self.numbers = count()
        self.empty: set[str] = set()

    def copy(self, table: str) -> None:
        rows = self.connection.sql(f"from {table}").to_arrow_table()
        if rows.num_rows or table not in self.empty:
            path = self.folder / f"{next(self.numbers)}.parquet"
            parquet.write_table(rows, path, compression="none")
            self.session.view(view(table), str(path))
        (self.empty.discard if rows.num_rows else self.empty.add)(table)

    def compare(self, statement: str, values: Mapping[str, Any]) -> None:
        bound = checks.bound(self.connection, statement, dict(values))
        expected = self.connection.execute(statement, bound).fetchall()

        found = self.session.rows(translate(statement, bound, MACROS), bind(bound))

        assert sorted(map(written, found)) == sorted(map(written, expected))


def written(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(map(str, row))


@pytest.fixture(scope="module")
def both(session: SparkConnection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with examples.example_tables(ALL) as connection:
        yield Both(connection, session, tmp_path_factory.mktemp("tables"))


@pytest.mark.parametrize(
    ("model", "example"),
    [(model, example) for model in MODELS for example in model.examples],
    ids=lambda part: part.name,
)
def test_an_example_has_the_same_rows(both: Both, model: Model, example: Example) -> None:
    both.connection.begin()
    try:
        values = examples.given(both.connection, model, example)
        for table in model.reads:
            both.copy(table)
        both.compare(model.sql, values)
        if example.population is not None:
            both.compare(f"select count(*) from ({model.population}\n) as members", values)
    finally:
        both.connection.rollback()


@pytest.mark.parametrize("model", [model for model in MODELS if model.checks], ids=lambda model: model.table)
def test_the_checks_of_a_model_run(both: Both, model: Model) -> None:
    for check in model.checks:
        for table in Statement.parse(check.sql, both.connection, where=model.table).tables:
            both.copy(table)
        both.compare(check.sql, {})
