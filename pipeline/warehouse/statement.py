"""One select as DuckDB's parser sees it: the tables it reads, the parameters it binds, and a key of its rows.

What the parser found in a text is kept, in this process and on the disk (:mod:`pipeline.warehouse.parsed`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import orjson

from pipeline.errors import ModelError
from pipeline.warehouse import parsed
from pipeline.warehouse.keys import key_of

__all__ = ["Parser", "Statement", "forbidden", "keep", "key_is_proven", "parameters_of", "tables_of"]

#: Returns the connection whose parser is used.
Parser = Callable[[], duckdb.DuckDBPyConnection]

#: Functions of time or chance, and templates: a model must give the same rows each time.
_FORBIDDEN = re.compile(
    r"\b(now|today|age|get_current_time(stamp)?|current_localtime(stamp)?|transaction_timestamp|random|setseed"
    r"|uuid(v[47])?|gen_random_uuid|nextval|currval|txid_current|getvariable)\s*\("
    r"|\b(current_(date|time|timestamp)|localtime(stamp)?|tablesample|using\s+sample)\b|\{\{|\{%",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """The qualified names of the tables that a select reads, and the names of its parameters.

    ``key`` are columns whose values no two of its rows share, if the text itself proves that of any.
    """

    tables: frozenset[str]
    parameters: frozenset[str]
    key: frozenset[str] | None = None

    @property
    def names(self) -> parsed.Found:
        """Return all of it in an order that never varies."""
        return sorted(self.tables), sorted(self.parameters), None if self.key is None else sorted(self.key)

    @classmethod
    def parse(cls, text: str, parser: Parser, *, where: str) -> Statement:
        """Parse one select; ``where`` is the file that holds it.

        Raises:
            ModelError: the text does not parse, is not one select, or names a table without its schema.
        """
        if known := _known(text):
            return known
        try:
            row = (
                parser()
                .execute(
                    "select json_serialize_sql($text, skip_null := true, skip_empty := true, skip_default := true)",
                    {"text": text},
                )
                .fetchone()
            )
        except duckdb.Error as error:
            raise _does_not_parse(error, where) from error
        tree = orjson.loads(row[0]) if row else {}
        if tree.get("error_type") == "parser":
            raise _does_not_parse(tree["error_message"], where)
        if tree.get("error"):
            raise ModelError(
                f"the statement is not a select: {tree.get('error_message')}",
                where=where,
                hint="a file is exactly one select",
            )
        statements = tree.get("statements", [])
        if len(statements) != 1:
            raise ModelError(
                f"there are {len(statements)} statements", where=where, hint="a file is exactly one select"
            )
        tables, unqualified = _tables(tree)
        if unqualified:
            raise ModelError(
                f"the table '{unqualified[0]}' has no schema", where=where, hint="always write schema.table"
            )
        parameters = frozenset(entry["key"] for entry in statements[0].get("named_param_map", ()))
        return _PARSED.setdefault(text, cls(tables, parameters, key_of(statements[0]["node"])))


#: Every statement of a model that this process has parsed. Parsing one takes milliseconds, as long as running it.
_PARSED: dict[str, Statement] = {}


def _known(text: str) -> Statement | None:
    """Return what the parser found in this very text earlier, or None."""
    if text not in _PARSED and (found := parsed.find(text)):
        tables, parameters, key = found
        _PARSED[text] = Statement(frozenset(tables), frozenset(parameters), None if key is None else frozenset(key))
    return _PARSED.get(text)


def keep(texts: Iterable[str]) -> None:
    """Keep what the parser found in these texts, which have been parsed, for later commands."""
    parsed.keep({text: _PARSED[text].names for text in texts})


def parameters_of(text: str, parser: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the names of the parameters that a statement binds."""
    known = _known(text)
    return known.parameters if known else frozenset(parser.extract_statements(text)[0].named_parameters)


def tables_of(text: str, parser: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the qualified names of the tables that a statement of a model reads."""
    return Statement.parse(text, lambda: parser, where="sql/").tables


def key_is_proven(text: str, key: Iterable[str], parser: duckdb.DuckDBPyConnection) -> bool:
    """Return whether a statement of a model shows that no two of its rows share the values of these columns."""
    found = Statement.parse(text, lambda: parser, where="sql/").key
    return found is not None and found <= {column.lower() for column in key}


def _does_not_parse(reason: object, where: str) -> ModelError:
    return ModelError(f"the statement does not parse: {reason}", where=where, hint="correct the SQL")


def forbidden(text: str) -> str | None:
    """Return the first call or word in a statement that would make its result vary, or None."""
    found = _FORBIDDEN.search(re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL))
    return found[0] if found else None


def _tables(tree: Any) -> tuple[frozenset[str], list[str]]:
    """Return the qualified names in a parse tree, and the names of tables that lack a schema."""
    qualified: set[str] = set()
    names: set[str] = set()
    cte_names: set[str] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                schema, name = node.get("schema_name"), node["table_name"]
                (qualified if schema else names).add(f"{schema}.{name}" if schema else name)
            if "cte_map" in node:
                cte_names.update(entry["key"] for entry in node["cte_map"].get("map", ()))
            node = node.values()
        waiting.extend(child for child in node if isinstance(child, dict | list))
    return frozenset(qualified), sorted(names - cte_names)
