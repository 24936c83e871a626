"""The queries that ship with the program: ``sql/queries/<name>.sql``.

A file begins with one comment line with the question it answers. Then come a line ``-- $name: what to give`` for each
parameter, and one select.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import resources
from pipeline.errors import ModelError, UsageError
from pipeline.spelling import nearest

if TYPE_CHECKING:  # the command line lists queries without loading DuckDB
    from pipeline.warehouse.database import Connection

__all__ = ["SavedQuery", "find", "load_queries", "rows", "statement", "why_no_rows"]

_PARAMETER = re.compile(r"-- \$(?P<name>[a-z][a-z0-9_]*): (?P<text>.+)")


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One query: the question it answers, its parameters with a description each, and its SQL."""

    name: str
    answers: str
    parameters: Mapping[str, str]
    sql: str


def load_queries(folder: Path) -> list[SavedQuery]:
    """Return every saved query of a folder, by name.

    Raises:
        ModelError: a file does not begin with a comment line, or declares other parameters than it uses.
    """
    return [_load(path) for path in sorted(folder.glob("*.sql"))]


def find(queries: list[SavedQuery], name: str, given: Mapping[str, object]) -> SavedQuery:
    """Return the query of that name, once it has been given all its parameters and no other.

    Raises:
        UsageError: no query has that name, or the parameters do not fit.
    """
    by_name = {query.name: query for query in queries}
    if name not in by_name:
        match = nearest(name, by_name)
        raise UsageError(
            f"there is no saved query '{name}'",
            where="--saved",
            hint=f"did you mean '{match}'?" if match else "'access-review sql --list' shows them all",
        )
    query = by_name[name]
    if set(given) != set(query.parameters):
        wanted = " ".join(f"--param {key}=<{text}>" for key, text in query.parameters.items())
        raise UsageError(
            f"the saved query '{name}' takes {wanted or 'no parameters'}",
            where="--param",
            hint=f"write: access-review sql --saved {name} {wanted}".rstrip(),
        )
    return query


def statement(folder: str, name: str) -> str:
    """Return the SQL of ``sql/<folder>/<name>.sql``, a statement that the program itself runs.

    Raises:
        ModelError: the file does not begin with a comment line, or declares other parameters than it uses.
    """
    return _load(resources.sql() / folder / f"{name}.sql").sql


def why_no_rows(connection: Connection, name: str, values: Mapping[str, object]) -> str | None:
    """Return why a saved query returned no rows, as ``sql/no_rows/<name>.sql`` says; None without such a file."""
    path = resources.sql() / "no_rows" / f"{name}.sql"
    if not path.exists():
        return None
    return str(connection.execute(_load(path).sql, dict(values)).fetchall()[0][0])


def rows(connection: Connection, folder: Path, name: str, /, **values: object) -> list[dict[str, Any]]:
    """Return the rows of one query of a folder, each by the names of its columns.

    Raises:
        ModelError: it does not declare its parameters.
    """
    query = find(load_queries(folder), name, values)
    cursor = connection.execute(query.sql, values)
    header = [column[0] for column in cursor.description or []]
    return [dict(zip(header, row, strict=True)) for row in cursor.fetchall()]


def _load(path: Path) -> SavedQuery:
    sql = path.read_text(encoding="utf-8")
    first, *others = sql.splitlines() or [""]
    parameters = {found["name"]: found["text"] for line in others if (found := _PARAMETER.fullmatch(line))}
    body = "\n".join(line for line in others if not line.startswith("--"))
    if not first.startswith("-- ") or set(re.findall(r"\$([a-z]\w*)", body)) != set(parameters):
        raise ModelError(
            "the saved query does not say what it answers and takes",
            where=str(path),
            hint="begin with '-- What it answers', then '-- $name: what to give' for each parameter",
        )
    return SavedQuery(path.stem, first.removeprefix("-- "), parameters, sql)
