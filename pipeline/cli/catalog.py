"""``catalog``: every table and column with its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal

if TYPE_CHECKING:
    from pipeline.warehouse.catalog import CatalogTable

__all__ = ["register"]


class CatalogFormat(StrEnum):
    """How the catalog is printed."""

    text = "text"
    markdown = "markdown"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("catalog", epilog="Example: access-review catalog | less")(catalog)


def catalog(
    context: typer.Context,
    format: Annotated[CatalogFormat, typer.Option(help="How to write it.")] = CatalogFormat.text,  # noqa: A002
) -> None:
    """Describe every table and column; needs no database."""
    from pipeline import inputs
    from pipeline.warehouse.catalog import catalog as tables_of

    terminal: Terminal = context.obj
    tables = tables_of(inputs.models())
    text = "\n".join(_markdown(tables) if format is CatalogFormat.markdown else _text(tables))
    terminal.result(
        text,
        [
            {
                "table": table.name,
                "description": table.description,
                "columns": [
                    {"column": column.name, "type": column.type, "description": column.description}
                    for column in table.columns
                ],
            }
            for table in tables
        ],
    )


def _text(tables: Sequence[CatalogTable]) -> Iterator[str]:
    for table in tables:
        names = max(len(column.name) for column in table.columns)
        types = max(len(column.type) for column in table.columns)
        yield table.name
        yield f"  {table.description}"
        for column in table.columns:
            yield f"    {column.name:<{names}}  {column.type:<{types}}  {column.description}"
        yield ""


def _markdown(tables: Sequence[CatalogTable]) -> Iterator[str]:
    yield "# Catalog"
    yield ""
    yield "Every table that a query can use. Made from `sql/` by `access-review catalog --format markdown`."
    for table in tables:
        yield ""
        yield f"## {table.name}"
        yield ""
        yield table.description
        yield ""
        yield "| column | type | description |"
        yield "|---|---|---|"
        for column in table.columns:
            yield f"| `{column.name}` | {column.type} | {column.description.replace('|', chr(92) + '|')} |"
