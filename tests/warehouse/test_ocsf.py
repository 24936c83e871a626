"""Events as OCSF: the released schema accepts every kind, and a file of them is continued."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from pipeline.errors import RenderError
from pipeline.warehouse import database, events
from pipeline.warehouse.database import Connection
from pipeline.watch.formats import LOG, event_format
from pipeline.watch.sinks import FileSink

START = datetime(2026, 1, 1)  # noqa: DTZ001 - UTC without a zone, as the database has it
OCSF = event_format("ocsf")
#: kind, field, what it changed, and the OCSF type: class times 100 plus activity
KINDS = (
    ("joiner", "account", "none", 300101), ("leaver", "account", "none", 300106), ("mover", "role", "raised", 300199),
    ("activated", "status", "none", 300102), ("deactivated", "status", "none", 300105),
    ("reactivated", "status", "none", 300102), ("status_changed", "status", "none", 300199),
    ("changed", "email", "none", 300199), ("privilege_gained", "privileged", "gained", 300501),
    ("privilege_lost", "privileged", "lost", 300502), ("group_added", "group", "gained", 300603),
    ("group_removed", "group", "none", 300604), ("of_a_rule", "finding", "none", 200401),
)  # fmt: skip


@pytest.fixture
def log() -> Any:
    with database.in_memory() as connection:
        connection.execute("insert into reference.severities (severity, position) values ('critical', 1)")
        connection.execute(
            "insert into reference.rules (rule_id, severity, event) values ('r', 'critical', 'of_a_rule')"
        )
        for position, (kind, field, effect, _) in enumerate(KINDS, start=1):
            connection.execute(
                "insert into history.events values"
                " ($p, 'e' || $p, $kind, 'prod', 'id-1', 'ann', 'not an address', 'Ann \"Ek\" 李', $field,"
                " 'old', 'new', 'Old', 'New', $state, $effect, 's1', 's2', $after, $at)",
                {
                    "p": position, "kind": kind, "field": field, "effect": effect, "after": START,
                    "state": '{"user_name": "ann"}' if kind in {"joiner", "leaver"} else None,
                    "at": START + timedelta(hours=1),
                },
            )  # fmt: skip
        yield connection


def documents(connection: Connection) -> list[Any]:
    return [json.loads(OCSF.encode(event)) for event in events.pending(connection, 0, 100, OCSF.select)]


def test_the_schema_accepts_every_kind_of_event(log: Connection) -> None:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0"))
    found = documents(log)

    assert [event["type_uid"] for event in found] == [uid for *_, uid in KINDS]
    for event in found:
        name = schema.lookup_class_name_from_uid(class_uid=event["class_uid"])
        Draft202012Validator(schema.get_class_schema(class_name=name, profiles=[])).validate(event)


def test_an_event_says_when_who_what_and_how_grave(log: Connection) -> None:
    by_kind = {event["metadata"]["event_code"]: event for event in documents(log)}
    joined, promoted, grouped = by_kind["joiner"], by_kind["mover"], by_kind["group_added"]

    assert joined["time"] - joined["start_time"] == 3_600_000
    assert joined["user"] == {"uid": "id-1", "name": "ann", "display_name": 'Ann "Ek" 李'}, "OCSF refuses the address"
    assert joined["unmapped"]["state"] == {"user_name": "ann"}
    assert promoted["message"] == 'Ann "Ek" 李: role changed from Old to New.'
    assert grouped["group"] == {"uid": "new", "name": "New"}
    severities = {kind: event["severity"] for kind, event in by_kind.items()}
    assert {kind for kind, severity in severities.items() if severity == "Medium"} == {
        "mover", "privilege_gained", "group_added"
    }  # fmt: skip
    assert severities["of_a_rule"] == "Critical"


def test_a_file_of_ocsf_events_is_continued_and_no_other_file(log: Connection, tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "events.jsonl", OCSF)
    known: list[int] = []

    sink.deliver(events.pending(log, 0, 5, OCSF.select), known.append)
    position = sink.position(0, lambda at: events.id_at(log, at))
    sink.deliver(events.pending(log, position, 100, OCSF.select), known.append)

    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == list(range(1, len(KINDS) + 1))
    assert known == [5, len(KINDS)]
    with pytest.raises(RenderError, match="not an event in the format json"):
        FileSink(tmp_path / "events.jsonl", LOG).position(0, lambda at: events.id_at(log, at))
