"""Puts the summary and the columns of a model into the database, beside its table."""

from __future__ import annotations

from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model

__all__ = ["comment"]


def comment(connection: Connection, model: Model) -> None:
    """Put the header's sentences into the database, where any SQL client shows them."""
    connection.execute(f"comment on table {model.table} is {_literal(model.summary)}")
    for column in model.columns:
        connection.execute(f'comment on column {model.table}."{column.name}" is {_literal(column.description)}')


def _literal(text: str) -> str:
    """Quote text for the one kind of statement that takes no parameters; it only ever comes from our own headers."""
    return "'" + text.replace("'", "''") + "'"
