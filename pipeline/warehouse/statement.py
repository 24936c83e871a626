"""One select as DuckDB's parser sees it: the tables it reads and the parameters it binds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.errors import ModelError

__all__ = ["Statement", "forbidden"]

#: Functions of time or chance, and templates: a model must give the same rows each time.
_FORBIDDEN = re.compile(
    r"\b(now|today|age|get_current_time(stamp)?|current_localtime(stamp)?|transaction_timestamp|random|setseed"
    r"|uuid(v[47])?|gen_random_uuid|nextval|currval|txid_current|getvariable)\s*\("
    r"|\b(current_(date|time|timestamp)|localtime(stamp)?|tablesample|using\s+sample)\b|\{\{|\{%",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """The qualified names of the tables that a select reads, and the names of its parameters."""

    tables: frozenset[str]
    parameters: frozenset[str]

    @classmethod
    def parse(cls, text: str, parser: duckdb.DuckDBPyConnection, *, where: str) -> Statement:
        """Parse one select; ``where`` is the file that holds it.

        Raises:
            ModelError: the text does not parse, is not one select, or names a table without its schema.
        """
        try:
            statements = parser.extract_statements(text)
            row = parser.execute("select json_serialize_sql($statement)", {"statement": text}).fetchone()
        except duckdb.Error as error:
            raise ModelError(f"the statement does not parse: {error}", where=where, hint="correct the SQL") from error
        if len(statements) != 1:
            raise ModelError(
                f"there are {len(statements)} statements", where=where, hint="a file is exactly one select"
            )
        tree = json.loads(row[0]) if row else {}
        if tree.get("error"):
            raise ModelError(
                f"the statement is not a select: {tree.get('error_message')}",
                where=where,
                hint="a file is exactly one select",
            )
        tables, unqualified = _tables(tree)
        if unqualified:
            raise ModelError(
                f"the table '{unqualified[0]}' has no schema", where=where, hint="always write schema.table"
            )
        return cls(tables, frozenset(statements[0].named_parameters))


def forbidden(text: str) -> str | None:
    """Return the first call or word in a statement that would make its result vary, or None."""
    found = _FORBIDDEN.search(re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL))
    return found[0] if found else None


def _tables(tree: Any) -> tuple[frozenset[str], list[str]]:
    """Return the qualified names in a parse tree, and the names of tables that lack a schema."""
    cte_names = {entry["key"] for node in _objects(tree) for entry in node.get("cte_map", {}).get("map", [])}
    nodes = [node for node in _objects(tree) if node.get("type") == "BASE_TABLE"]
    qualified = frozenset(f"{node['schema_name']}.{node['table_name']}" for node in nodes if node["schema_name"])
    names = sorted(node["table_name"] for node in nodes if not node["schema_name"])
    return qualified, [name for name in names if name not in cte_names]


def _objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a parse tree, in no order that means anything."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
