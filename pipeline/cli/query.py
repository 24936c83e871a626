"""``sql``: run a query of the user on the database, which is opened read-only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal, align, plain
from pipeline.errors import RenderError, UsageError

if TYPE_CHECKING:
    from pipeline.warehouse.saved import SavedQuery

__all__ = ["register"]


class RowFormat(StrEnum):
    """The formats of rows."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "sql", epilog='Example: access-review sql "select email, role_name from reports.population where privileged"'
    )(sql)


def sql(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="One select statement.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read the query from this file.")] = None,
    saved: Annotated[str | None, typer.Option(metavar="NAME", help="Run a saved query; --list shows them.")] = None,
    list_saved: Annotated[bool, typer.Option("--list", help="List the saved queries.")] = False,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Value of $KEY in the query, as text (repeatable)."),
    ] = None,
    format: Annotated[RowFormat, typer.Option(help="How to write the rows.")] = RowFormat.table,  # noqa: A002
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the rows to this file, not to stdout.")
    ] = None,
) -> None:
    """Run one read-only query on the database.

    The query can neither write nor reach files or the network.
    """
    from pipeline.atomic import replace_file
    from pipeline.warehouse import adhoc, database
    from pipeline.warehouse import saved as saved_queries

    terminal: Terminal = context.obj
    if list_saved:
        _list(terminal)
        return
    values = dict(_parameter(given) for given in param or ())
    text = _query(query, file, saved, values)
    settings = terminal.settings()
    if format is RowFormat.parquet and out is None:
        raise UsageError("Parquet cannot go to stdout", where="--format parquet", hint="name a file with --out")
    with database.sandbox(settings.warehouse.database, notify=terminal.note) as connection:
        if format is RowFormat.parquet and out is not None:
            from pipeline.reporting import parquet

            # The sandbox can write no file, so the rows are handed over.
            parquet.write(adhoc.stream(connection, text, values), out)
            terminal.result(str(out), {"file": out})
            return
        header, rows = adhoc.run(connection, text, values)
        reason = saved_queries.why_no_rows(connection, saved, values) if saved is not None and not rows else None
    if reason is not None:
        terminal.note(f"no rows: {reason}")
    elif not rows:
        terminal.say("the query returned no rows")
    if out is None:
        terminal.result(
            "" if terminal.json else _render(format, header, rows),
            [dict(zip(header, row, strict=True)) for row in rows],
        )
        return
    try:
        with replace_file(out) as draft:
            draft.write_text(_render(format, header, rows) + "\n", encoding="utf-8")
    except OSError as error:
        raise RenderError(
            f"the file cannot be written: {error.strerror}", where=str(out), hint="name another path"
        ) from error
    terminal.result(str(out), {"file": out})


def _list(terminal: Terminal) -> None:
    queries = _saved_queries()
    terminal.result(
        align(
            ("name", "parameters", "what it answers"),
            [(query.name, ", ".join(query.parameters), query.answers) for query in queries],
        ),
        [{"name": query.name, "answers": query.answers, "parameters": query.parameters} for query in queries],
    )


def _saved_queries() -> list[SavedQuery]:
    from pipeline import resources
    from pipeline.warehouse.saved import load_queries

    return load_queries(resources.sql() / "queries")


def _query(query: str | None, file: Path | None, saved: str | None, values: Mapping[str, str]) -> str:
    if [query, file, saved].count(None) != 2:
        raise UsageError(
            "give exactly one query: as text, with --file or with --saved",
            where="",
            hint="'access-review sql --list' shows the saved queries",
        )
    if saved is not None:
        from pipeline.warehouse.saved import find

        return find(_saved_queries(), saved, values).sql
    if file is None:
        return query or ""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the query cannot be read: {error}", where=str(file), hint="check the path") from error


def _parameter(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise UsageError(f"'{given}' is not KEY=VALUE", where="--param", hint="write --param email=ada@example.com")
    return name, value


def _render(form: RowFormat, header: list[str], rows: list[tuple[object, ...]]) -> str:
    if form is RowFormat.table:
        return align(header, rows)
    if form is RowFormat.json:
        return json.dumps([dict(zip(header, plain(row), strict=True)) for row in rows], ensure_ascii=False, indent=2)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_csv_cell(value) for value in row] for row in rows)
    return stream.getvalue().removesuffix("\n")


def _csv_cell(value: object) -> object:
    """Write a cell as the report's CSV files do: text that a spreadsheet would run gets an apostrophe."""
    if isinstance(value, str):
        from pipeline.reporting import cells

        return cells.as_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value)
