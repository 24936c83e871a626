"""Puts the summaries and the columns of models into the database, beside their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model

__all__ = ["comment"]


def comment(connection: Connection, models: Iterable[Model]) -> None:
    """Put the sentences of the headers into the database, where any SQL client shows them."""
    statements = [statement for model in models for statement in _statements(model)]
    if not statements:
        return
    # There are 1,400, and the optimizer, which can do nothing for them, is a third of their time.
    connection.execute("set enable_optimizer = false")
    try:
        connection.execute(";\n".join(statements))
    finally:
        connection.execute("set enable_optimizer = true")


def _statements(model: Model) -> Iterator[str]:
    yield f"comment on {'view' if model.is_view else 'table'} {model.table} is {_literal(model.summary)}"
    for column in model.columns:
        yield f'comment on column {model.table}."{column.name}" is {_literal(column.description)}'


def _literal(text: str) -> str:
    """Quote text for the one kind of statement that takes no parameters; it only ever comes from our own headers."""
    return "'" + text.replace("'", "''") + "'"
