"""NetworkX opens the exported graph, whatever the names of people and groups contain."""

from __future__ import annotations

import json

import networkx
import pytest

from pipeline.reporting import graph
from tests.reporting.sealing import write

NODES = [
    ("account:prod:1", "account", "Ada <b>\"&'</b> ]]> {{ 7 * 7 }}", "prod"),
    ("account:prod:2", "account", "two\nlines\r\nand\ta tab", "prod"),
    ("person:zoë@例え.test", "person", "Zoë 李 明 \U0001f600", None),
    ("role:prod:a\"'<&>", "role", "", "prod"),
]
EDGES = [
    ("account:prod:1", "belongs_to", "person:zoë@例え.test"),
    ("account:prod:1", "has_role", "role:prod:a\"'<&>"),
    ("account:prod:2", "has_role", "role:prod:a\"'<&>"),
]


@pytest.fixture
def connection(database):
    connection = database()
    # as a parallel build may leave them: in no order
    connection.executemany("insert into graph.nodes values (?, ?, ?, ?)", NODES[::-1])
    connection.executemany("insert into graph.edges values (?, ?, ?)", EDGES[::-1])
    return connection


def open_graph(path):
    if path.suffix == ".json":
        return networkx.node_link_graph(json.loads(path.read_text(encoding="utf-8")), edges="edges")
    return networkx.read_graphml(path)


WRITERS = {"graph.graphml": graph.write_graphml, "graph.json": graph.write_json}


@pytest.mark.parametrize("name", WRITERS)
def test_networkx_opens_every_node_and_edge_with_its_attributes(connection, tmp_path, name):
    WRITERS[name](connection, tmp_path / name)

    opened = open_graph(tmp_path / name)
    assert opened.is_directed()
    assert opened.graph["snapshot_id"] == "20261031T235800Z-4f2a"
    assert {
        (node, facts["node_type"], facts["label"] or "", facts.get("source"))
        for node, facts in opened.nodes(data=True)
    } == set(NODES)
    assert {(start, facts["edge_type"], end) for start, end, facts in opened.edges(data=True)} == set(EDGES)


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_graph_can_be_opened(database, tmp_path, name):
    WRITERS[name](database(), tmp_path / name)

    assert len(open_graph(tmp_path / name)) == 0


def test_a_character_not_allowed_in_xml_is_spelled_out(database, tmp_path):
    connection = database()
    connection.execute(
        "insert into graph.nodes values ('account:prod:1', 'account', 'a' || chr(1) || chr(65535), 'p')"
    )

    graph.write_graphml(connection, tmp_path / "graph.graphml")

    assert open_graph(tmp_path / "graph.graphml").nodes["account:prod:1"]["label"] == "a\\u0001\\uffff"


def test_the_same_build_gives_the_same_bytes_and_the_manifest_lists_them(connection, tmp_path):
    first = write(connection, tmp_path / "a", "graph")
    second = write(connection, tmp_path / "b", "graph")

    listed = {entry["path"] for entry in json.loads((first.folder / "manifest.json").read_text())["files"]}
    assert listed >= set(WRITERS)
    for name in WRITERS:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
        assert first.folder / name in first.files
