"""Writes the identity graph for tools that draw and search graphs: GraphML for Gephi, JSON for NetworkX.

Both hold the same directed graph: ``graph.nodes`` with ``node_type``, ``label`` and ``source``, ``graph.edges`` with
``edge_type``. Rows are streamed in the order of their ids, so memory does not grow with their number and the same
build gives the same bytes. The JSON is NetworkX's node-link form, one node or edge a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pipeline.warehouse.database import Connection

__all__ = ["write_graphml", "write_json"]

_SNAPSHOT = "select snapshot_id from reports.snapshot"
_NODES = "select node_id, node_type, label, source from graph.nodes order by node_id"
_EDGES = "select from_id, edge_type, to_id from graph.edges order by from_id, edge_type, to_id"
_CHUNK = 10_000
#: Characters that XML 1.0 cannot hold, even escaped: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GRAPHML_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="snapshot_id" for="graph" attr.name="snapshot_id" attr.type="string"/>
<key id="node_type" for="node" attr.name="node_type" attr.type="string"/>
<key id="label" for="node" attr.name="label" attr.type="string"/>
<key id="source" for="node" attr.name="source" attr.type="string"/>
<key id="edge_type" for="edge" attr.name="edge_type" attr.type="string"/>
<graph edgedefault="directed">
"""


def write_graphml(connection: Connection, path: Path) -> None:
    """Write the graph of the current build as GraphML. A character that XML cannot hold becomes its ``\\uXXXX``.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_GRAPHML_HEAD)
        for (snapshot_id,) in _rows(connection, _SNAPSHOT):
            file.write(_data("snapshot_id", snapshot_id) + "\n")
        for node_id, node_type, label, source in _rows(connection, _NODES):
            data = _data("node_type", node_type) + _data("label", label) + _data("source", source)
            file.write(f"<node id={_attribute(node_id)}>{data}</node>\n")
        for from_id, edge_type, to_id in _rows(connection, _EDGES):
            ends = f"source={_attribute(from_id)} target={_attribute(to_id)}"
            file.write(f"<edge {ends}>{_data('edge_type', edge_type)}</edge>\n")
        file.write("</graph>\n</graphml>\n")


def write_json(connection: Connection, path: Path) -> None:
    """Write the graph of the current build as node-link JSON.

    Raises:
        OSError: the file cannot be written.
    """
    nodes = (
        {"id": node_id, "node_type": node_type, "label": label, "source": source}
        for node_id, node_type, label, source in _rows(connection, _NODES)
    )
    edges = (
        {"source": from_id, "target": to_id, "edge_type": edge_type}
        for from_id, edge_type, to_id in _rows(connection, _EDGES)
    )
    [(snapshot_id,)] = _rows(connection, _SNAPSHOT)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"directed": true, "multigraph": false, ')
        file.write(f'"graph": {json.dumps({"snapshot_id": snapshot_id})},\n"nodes": [')
        for text in _items(nodes):
            file.write(text)
        file.write('],\n"edges": [')
        for text in _items(edges):
            file.write(text)
        file.write("]}\n")


def _items(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    separator = "\n"
    for record in records:
        yield separator + json.dumps(record, ensure_ascii=False)
        separator = ",\n"


def _rows(connection: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def _data(key: str, value: str | None) -> str:
    if value is None:
        return ""
    return f'<data key="{key}">{escape(_legal(value), {chr(13): "&#13;"})}</data>'


def _attribute(value: str) -> str:
    return quoteattr(_legal(value))


def _legal(value: str) -> str:
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
