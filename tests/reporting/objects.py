"""Tables of accounts and objects for the reports of the tests, with the columns that the models declare."""

from __future__ import annotations

import functools
from pathlib import Path

import duckdb

from pipeline import resources
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_model

#: Models that are tables here, by their folder.
_GIVEN = {"2_graph": ("accounts", "roles")}
#: Models of ``reports`` that are built from them.
_BUILT = ("licences",)


def create_given(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, empty."""
    for folder, names in _GIVEN.items():
        for name in names:
            model = _model(folder, name)
            columns = ", ".join(f'"{column.name}" {column.type}' for column in model.columns)
            connection.execute(f"create table {model.table} ({columns})")


def fill_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the accounts of ``reports.population``."""
    known = {row[0] for row in connection.execute("describe reports.population").fetchall()}
    shared = ", ".join(column.name for column in _model("2_graph", "accounts").columns if column.name in known)
    connection.execute(f"insert into graph.accounts by name select {shared} from reports.population")


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the models of ``reports`` about seats and objects."""
    for name in _BUILT:
        connection.execute(f"create table reports.{name} as {_model('4_reports', name).sql}")


@functools.cache
def _model(folder: str, name: str) -> Model:
    return load_model(Path(resources.sql()) / folder / f"{name}.sql")
