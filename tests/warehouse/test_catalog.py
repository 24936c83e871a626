"""The catalog: the tables and columns that a query can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.warehouse.catalog import CatalogTable, catalog
from pipeline.warehouse.model import Model

DOCUMENT = Path(__file__).parents[2] / "docs" / "catalog.md"


@pytest.fixture(scope="module")
def tables(models: list[Model]) -> dict[str, CatalogTable]:
    return {table.name: table for table in catalog(models)}


def test_every_table_and_every_column_is_described(tables: dict[str, CatalogTable]) -> None:
    silent = [table.name for table in tables.values() if not table.description]
    silent += [f"{t.name}.{column.name}" for t in tables.values() for column in t.columns if not column.description]

    assert silent == []


def test_it_lists_exactly_the_tables_of_a_build(
    tables: dict[str, CatalogTable], house: Any, make_user: Any, source: Any
) -> None:
    house.build(house.land("20260101T000000Z-0001", {"prod": source([make_user("a")])}))

    built = house.rows(
        """
        select schema_name || '.' || table_name, list((column_name, lower(data_type)) order by column_index)
        from duckdb_columns() where not internal and database_name = current_database() and schema_name <> 'main'
        group by all
        """
    )
    assert {name: [(c.name, c.type) for c in table.columns] for name, table in tables.items()} == dict(built)


def test_descriptions_come_from_the_headers(tables: dict[str, CatalogTable], models: list[Model]) -> None:
    population = next(model for model in models if model.table == "reports.population")

    assert tables["reports.population"].description == population.summary
    assert [c.description for c in tables["reports.population"].columns] == [
        c.description for c in population.columns
    ]
    assert next(iter(tables)).startswith("reports.")


def test_the_document_matches_the_output_of_the_command() -> None:
    printed = CliRunner().invoke(app, ["catalog", "--format", "markdown"]).stdout

    assert DOCUMENT.read_text(encoding="utf-8") == printed, (
        "run 'access-review catalog --format markdown > docs/catalog.md'"
    )
