"""Proves from the parse tree of a select that no two of its rows have the same values in some of its columns.

A build counts the rows of each key of a large table, unless its statement shows that there is only one. These show
it, in the select itself or in a CTE that is all it reads: a grouping, ``distinct``, and
``qualify row_number() over (partition by ...) = 1``. Whatever is not understood proves nothing. As in a grouping and
in the count, two nulls are the same value: whether a key has nulls is another question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["key_of"]

#: A node of DuckDB's parse tree, as ``json_serialize_sql`` writes it without nulls and defaults.
Node = Mapping[str, Any]

#: Where a node stands in the text.
_PLACE = {"query_location", "query_location_length"}
#: The expressions that a key may be made of. Others, such as subqueries, need not give the same value each time.
_PLAIN = {"COLUMN_REF", "CONSTANT", "FUNCTION", "CAST", "CASE", "OPERATOR", "CONJUNCTION", "COMPARISON"}
#: All that a row number may have, and all that a table may have that is read as it is.
_READ = _PLACE | {"alias", "class", "type", "qualified_name"}
_WINDOW = _READ | {"function_name", "partitions", "orders", "start", "end"}
_TABLE = _READ | {"table_name"}
#: Functions that make several rows of one; a test proves that no other does.
_UNNESTING = {"unnest", "unlist", "generate_subscripts", "regexp_split_to_table"}


def key_of(select: Node, known: Mapping[str, frozenset[str] | None] | None = None) -> frozenset[str] | None:
    """Return names of columns, in lower case, whose values no two rows of a select share; None without a proof.

    No columns at all mean that there is at most one row. ``known`` are the keys of the CTEs outside.
    """
    if select.get("type") != "SELECT_NODE":
        return None
    keys = dict(known or {})
    for cte in select.get("cte_map", {}).get("map", ()):
        body = cte["value"]
        keys[cte["key"].lower()] = None if body.get("aliases") else key_of(body.get("query_node", {}), keys)
    columns = _columns(select)
    if columns is None:
        return None
    is_grouped = "group_expressions" in select or select.get("aggregate_handling") != "STANDARD_HANDLING"
    shown = [_grouped(select, columns)] if is_grouped else [_first_of(select), _inherited(select, columns, keys)]
    for expressions in shown:
        if expressions is not None and (found := _names(expressions, columns)) is not None:
            return found
    return frozenset(columns) if {"type": "DISTINCT_MODIFIER"} in select.get("modifiers", ()) else None


def _columns(select: Node) -> dict[str, Node] | None:
    """Return the expression of each column; None if a name comes twice, or rows or columns cannot be counted."""
    columns: dict[str, Node] = {}
    for position, item in enumerate(select["select_list"]):
        if any(map(_may_multiply, _nodes(item))):
            return None
        name = item.get("alias") or (item["column_names"][-1] if item["class"] == "COLUMN_REF" else f"#{position}")
        if name.lower() in columns:
            return None
        columns[name.lower()] = _computed({key: value for key, value in item.items() if key != "alias"})
    return columns


def _may_multiply(node: Node) -> bool:
    """Return whether a node may stand for several columns, or for several rows."""
    return node.get("class") == "STAR" or node.get("function_name", "").lower() in _UNNESTING


def _grouped(select: Node, columns: Mapping[str, Node]) -> list[Node] | None:
    """Return what a select is grouped by, if it has a single list of that."""
    expressions = select.get("group_expressions", [])
    if not expressions or select.get("group_sets") != [[*range(len(expressions))]]:
        return None
    items = list(columns.values())
    found = []
    for expression in expressions:
        number = expression.get("literal", {})  # of a column
        if not number:
            found.append(expression)
        elif number.get("kind") == "INTEGER" and 1 <= int(number["text"]) <= len(items):
            found.append(items[int(number["text"]) - 1])
        else:
            return None
    return found


def _first_of(select: Node) -> list[Node] | None:
    """Return the partitions of which a select has one row each."""
    qualify = select.get("qualify", {})
    for condition in qualify["children"] if qualify.get("type") == "CONJUNCTION_AND" else [qualify]:
        number, place = condition.get("left", {}), condition.get("right", {})
        if (
            condition.get("type") == "COMPARE_EQUAL"
            and number.get("type") == "WINDOW_ROW_NUMBER"
            and number.keys() <= _WINDOW
            and place.get("literal") == {"kind": "INTEGER", "text": "1"}
        ):
            return list(number.get("partitions", []))
    return None


def _inherited(
    select: Node, columns: Mapping[str, Node], keys: Mapping[str, frozenset[str] | None]
) -> list[Node] | None:
    """Return the columns that are the key of the only CTE that a select reads, as the select writes them."""
    table = select.get("from_table", {})
    if table.get("type") != "BASE_TABLE" or not table.keys() <= _TABLE:
        return None
    key = keys.get(table["table_name"].lower())
    name = (table.get("alias") or table["table_name"]).lower()
    if key is None:
        return None
    written = {
        path[-1].lower(): node
        for node in columns.values()
        if node["class"] == "COLUMN_REF" and (path := node["column_names"])[:-1] in ([], [name])
    }
    return [written[column] for column in key] if key <= written.keys() else None


def _names(expressions: Sequence[Node], columns: Mapping[str, Node]) -> frozenset[str] | None:
    """Return the names of the columns that have these values; None if one has no column, or may be another value."""
    names: dict[str, str] = {}
    for name, item in columns.items():
        names.setdefault(repr(item), name)
    found = set()
    for expression in map(_computed, expressions):
        for node in _nodes(expression):
            if node.get("class", "CONSTANT") not in _PLAIN:
                return None
            # A name of this select may stand for its own column, or for one of the tables that it reads.
            first = node["column_names"][0].lower() if node.get("class") == "COLUMN_REF" else ""
            if columns.get(first, node) != node:
                return None
        if repr(expression) not in names:
            return None
        found.add(names[repr(expression)])
    return frozenset(found)


def _computed(node: Any) -> Any:
    """Return a node without its places in the text: what is left is what it computes."""
    if isinstance(node, Mapping):
        return {key: _computed(value) for key, value in node.items() if key not in _PLACE}
    return [_computed(value) for value in node] if isinstance(node, list) else node


def _nodes(tree: Any) -> Iterator[Node]:
    """Yield every node of an expression."""
    if isinstance(tree, Mapping):
        yield tree
        tree = tree.values()
    for child in tree:
        if isinstance(child, Mapping | list):
            yield from _nodes(child)
