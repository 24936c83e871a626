"""The rows of ``raw`` for the objects of the simulator, as an extract stores them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.simulator.objects import Objects, SimulatedModel
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection

_FETCHED = datetime(2026, 1, 1)  # noqa: DTZ001 - UTC, as stored


def insert_objects(connection: Connection, snapshot_id: str, source: str, objects: Objects) -> None:
    """Insert all objects of a source into ``raw``."""
    tables = {
        "dashboards": _dashboards(objects),
        "folders": iter(objects.folders),
        "models": (_model(model) for model in objects.models),
        "row_rules": (_rule(model, rule) for model in objects.models for rule in model.rules),
    }
    for table, records in tables.items():
        rows = [
            {
                "snapshot_id": snapshot_id,
                "source": source,
                "sweep": 1,
                "page": 1,
                "ordinal": number,
                "is_accepted": True,
                "fetched_at": _FETCHED,
                "payload": json.dumps(record),
            }
            for number, record in enumerate(records, start=1)
        ]
        database.insert(connection, f"raw.{table}", rows)


def _dashboards(objects: Objects) -> Iterator[dict[str, Any]]:
    for record, made in zip(objects.dashboard_records, objects.dashboards, strict=True):
        invitations = [{"email": address} for address in made.invitations]
        yield {**record, "isPublic": made.is_public, "sharesToNew": invitations}


def _model(model: SimulatedModel) -> dict[str, Any]:
    record = {"_id": model.model_id, "title": model.title, "shares": list(model.shares), "hasRowRules": True}
    if model.is_live:
        return {**record, "kind": "live", "creator": model.creator}
    return {**record, "kind": "extract", "server": model.server}


def _rule(model: SimulatedModel, rule: dict[str, Any]) -> dict[str, Any]:
    hashes = [hashlib.sha256(json.dumps(value).encode()).hexdigest() for value in rule["members"]]
    kept = {key: value for key, value in rule.items() if key != "members"}
    return {**kept, "modelId": model.model_id, "valueHashes": hashes}
