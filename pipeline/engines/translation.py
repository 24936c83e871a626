"""Translates a model's statement from DuckDB's SQL to Spark's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import SqlglotError

from pipeline.engines.rewrites import REWRITES, Rewrite, UnsupportedError

__all__ = ["Macro", "UnsupportedError", "bind", "macros", "tables_of", "translate", "view"]

#: Functions of Spark that sqlglot does not know, and passes through as they are written.
_OF_SPARK = frozenset(
    "array array_join array_sort collect_list collect_set datediff format_number make_dt_interval nullif"  # noqa: SIM905
    " regexp_replace slice split struct to_json transform unix_micros".split()
)


def view(table: str) -> str:
    """Return the name of a table (``schema.name``) in a session, which has no schemas of its own."""
    return table.replace(".", "__")


@dataclass(frozen=True, slots=True)
class Macro:
    """A function of our own: the names of its parameters, and what it stands for."""

    parameters: tuple[str, ...]
    body: exp.Expr


def macros(statements: str) -> dict[str, Macro]:
    """Return the functions that ``tables.sql`` defines, by name; not those that return rows."""
    found = re.findall(
        r"^create or replace macro (\w+)\(([\w, ]+)\) as\s+(?!table)(.*?);\n", statements, re.DOTALL | re.MULTILINE
    )
    return {
        name: Macro(tuple(parameters.split(", ")), parse_one(body, read="duckdb")) for name, parameters, body in found
    }


def tables_of(statement: str) -> set[str]:
    """Return the tables (``schema.name``) that a select of ours reads."""
    found = parse_one(statement, read="duckdb").find_all(exp.Table)
    return {f"{table.db}.{table.name}" for table in found if table.db}


def bind(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as a translated statement takes them: times as text, since Spark would give them a zone."""
    return {
        name: value.isoformat(sep=" ") if isinstance(value, datetime) else value for name, value in values.items()
    }


def translate(
    statement: str,
    values: Mapping[str, object],
    known: Mapping[str, Macro],
    rewrites: Sequence[Rewrite] = REWRITES,
) -> str:
    """Return a select in Spark's SQL. ``values`` are what it binds, ``known`` the macros that it may call.

    Raises:
        UnsupportedError: it says something that has no equal there.
    """
    try:
        tree = parse_one(statement, read="duckdb")
    except SqlglotError as error:
        raise UnsupportedError(f"SQL that sqlglot does not parse: {str(error).splitlines()[0]}") from error
    tree = _rewritten(tree, [lambda node: _expanded(node, known)])
    tree = _rewritten(tree, [*rewrites, _renamed, lambda node: _typed(node, values)])
    unknown = {call.name.lower() for call in tree.find_all(exp.Anonymous)} - _OF_SPARK
    if unknown:
        raise UnsupportedError(f"the function {min(unknown)}()")
    try:
        return tree.sql("spark", unsupported_level=ErrorLevel.RAISE, comments=False)
    except SqlglotError as error:
        raise UnsupportedError(str(error).splitlines()[0]) from error


def _rewritten(tree: exp.Expr, rewrites: Sequence[Rewrite]) -> exp.Expr:
    """Rewrite every node of a tree, the innermost first, so that each rewrite finds its arguments finished."""
    for node in reversed(list(tree.dfs())):
        result = node
        for rewrite in rewrites:
            result = rewrite(result)
        if result is not node:
            if node is tree:
                tree = result
            node.replace(result)
    return tree


def _expanded(node: exp.Expr, known: Mapping[str, Macro]) -> exp.Expr:
    """Write a macro out, with the macros that it calls itself."""
    macro = known.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
    if macro is None:
        return node
    given = dict(zip(macro.parameters, node.expressions, strict=True))

    def filled(part: exp.Expr) -> exp.Expr:
        argument = given.get(part.name) if isinstance(part, exp.Column) else None
        return exp.paren(argument.copy()) if argument is not None else part

    return exp.paren(_rewritten(macro.body.transform(filled), [lambda part: _expanded(part, known)]))


def _renamed(node: exp.Expr) -> exp.Expr:
    """Name a table as the session does; a table without an alias keeps its own name in the statement."""
    if not (isinstance(node, exp.Table) and node.db):
        return node
    alias = node.alias or node.name
    renamed = exp.to_table(view(f"{node.db}.{node.name}"))
    return exp.alias_(renamed, alias, table=True)


def _typed(node: exp.Expr, values: Mapping[str, object]) -> exp.Expr:
    """Give a bound time the type of ours: UTC without a zone."""
    if isinstance(node, exp.Placeholder) and isinstance(values.get(node.name), datetime):
        return exp.cast(node.copy(), "timestamp_ntz", dialect="spark")
    return node
