"""Writes the rows of a query as a CSV file that is safe to open in a spreadsheet; equal rows give equal bytes.

UTF-8, a header, RFC 4180 quoting, LF line ends, ``true``/``false``, timestamps as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, null
as an empty cell and an empty string as ``""``. DuckDB streams the rows to the file itself, so memory does not grow
with their number.

A cell with a semicolon is quoted, so that no spreadsheet splits it there. If a cell has a tab, its whole column is
quoted, because DuckDB accepts only one more character that forces quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting import cells
from pipeline.warehouse import archive
from pipeline.warehouse.database import Connection

__all__ = ["write"]

_TEXT = {"VARCHAR", "JSON"}
_TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S.%gZ"
#: DuckDB quotes what could be read as the start of a comment.
_QUOTED_TOO = ";"


@dataclass(frozen=True, slots=True)
class _Text:
    """One text column: the cells to neutralise, whether any has a formula inside, and whether any has a tab."""

    formulas: int
    has_inner: bool
    has_tab: bool


def write(
    connection: Connection, query: str, path: Path, *, order_by: str, parameters: Mapping[str, object] | None = None
) -> int:
    """Write the rows of ``query`` with its parameters in that order, and return how many cells were neutralised.

    The column types decide what a cell is: formulas are neutralised in text columns alone, so that a negative number
    stays a number.

    Raises:
        RenderError: the file cannot be written.
    """
    values = dict(parameters or {})
    described = connection.execute(f"describe {query}", values).fetchall()
    columns = {_quoted(str(row[0])): str(row[1]) for row in described}
    texts = _texts(connection, query, values, [name for name, kind in columns.items() if kind in _TEXT])
    shown = ", ".join(f"{_cell(name, kind, texts.get(name))} as {name}" for name, kind in columns.items())
    with_tab = [name for name, text in texts.items() if text.has_tab]
    quoting = f", force_quote ({', '.join(with_tab)})" if with_tab else ""
    # Names are the query's own, quoted; the path is bound.
    copy = (
        f"copy (select {shown} from ({query} order by {order_by})) to $path"
        f" (format csv, header, new_line '\\n', comment '{_QUOTED_TOO}'{quoting})"
    )
    try:
        connection.execute(copy, {**values, "path": str(path)}).fetchall()
    except RuntimeError:
        raise  # interrupted
    except Exception as error:  # the exceptions of the database cannot be named in this layer
        raise archive.unwritten(error, path) from error
    return sum(text.formulas for text in texts.values())


def _texts(connection: Connection, query: str, values: Mapping[str, object], names: list[str]) -> dict[str, _Text]:
    """Look at every text once, apart and unsorted: a fraction of the time that it takes inside the sorted query.

    A regular expression on every cell would take as long as the file: only columns with a semicolon, and rows with
    another separator, are looked at with one.
    """
    if not names:
        return {}
    row_text = f"concat_ws('', {', '.join(names)})"
    counts = ", ".join(
        f"coalesce(count_if({cells.is_formula(name)}), 0), coalesce(bool_or(contains({name}, ';')), false)"
        for name in names
    )
    [[has_other, *found]] = connection.execute(
        f"select coalesce(bool_or({cells.separates(row_text)}), false), {counts} from ({query})", values
    ).fetchall()
    starting, with_semicolon = found[::2], [name for name, has in zip(names, found[1::2], strict=True) if has]
    if not has_other and not with_semicolon:
        return {name: _Text(count, False, False) for name, count in zip(names, starting, strict=True)}
    suspicious = [cells.has_inner_formula(name) for name in with_semicolon]
    if has_other:
        suspicious.append(cells.separates(row_text))
    inside = ", ".join(
        f"coalesce(count_if({cells.has_inner_formula(name)}), 0),"
        f" coalesce(count_if({cells.has_inner_formula(name)} and not {cells.is_formula(name)}), 0),"
        f" coalesce(bool_or(contains({name}, chr(9))), false)"
        for name in names
    )
    rows_inside = f"select {inside} from ({query}) where {' or '.join(suspicious)}"
    [more] = connection.execute(rows_inside, values).fetchall()
    return {
        name: _Text(count + only_inside, any_inside > 0, has_tab)
        for name, count, any_inside, only_inside, has_tab in zip(
            names, starting, more[::3], more[1::3], more[2::3], strict=True
        )
    }


def _cell(name: str, kind: str, text: _Text | None) -> str:
    if text is not None:
        return cells.neutralised(name, inner=text.has_inner) if text.formulas else f"{name}::varchar"
    if kind == "TIMESTAMP":
        return f"strftime({name}, '{_TIMESTAMP_FORMAT}')"
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
