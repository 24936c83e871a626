"""Tables of accounts and objects for the reports of the tests, with the columns that the models declare."""

from __future__ import annotations

import functools
from pathlib import Path

import duckdb

from pipeline import resources
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_model

#: Models that are tables here, by their folder.
_GIVEN = {
    "2_graph": (
        "accounts", "roles", "groups", "memberships", "objects", "object_grants", "row_access", "own_row_access",
        "object_lists", "seats", "sign_on", "sources", "people", "review_campaigns", "review_decisions",
    ),
    "4_reports": ("access",),
}  # fmt: skip
#: Models of ``reports`` that are built from them.
_BUILT = ("object_lists", "object_exposure", "reach", "row_rules", "licences", "licence_summary", "posture")
#: The lists of objects.
_LISTS = ("dashboards", "models", "row_rules", "folders", "seats", "sign_on", "mailed_reports", "tenants")


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


def fill_objects(connection: duckdb.DuckDBPyConnection, count: int | None, state: str = "FULL") -> None:
    """Invent ``count`` objects with ten grants each, and settings; None means that no list was read."""
    known = "NOT_READ" if count is None else state
    for name in _LISTS:
        lost = "Who reaches these is not known." if known != "FULL" else None
        said = f"The server answered with {known}." if known != "FULL" else None
        connection.execute("insert into graph.object_lists values ('prod', ?, ?, ?, ?)", [name, known, said, lost])
    if count is None:
        return
    invented = Path(__file__).with_name("objects.sql").read_text(encoding="utf-8")
    for text in invented.split(";\n"):
        if text.strip():
            connection.execute(text, {"objects": count} if "$objects" in text else {})


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the models of ``reports`` about seats and objects."""
    for name in _BUILT:
        model = _model("4_reports", name)
        values = {"snapshot_id": "20261031T235800Z-4f2a", **model.params}
        used = {key: value for key, value in values.items() if f"${key}" in model.sql}
        connection.execute(f"create table reports.{name} as {model.sql}", used)


@functools.cache
def _model(folder: str, name: str) -> Model:
    return load_model(Path(resources.sql()) / folder / f"{name}.sql")
