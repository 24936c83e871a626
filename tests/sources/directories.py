"""Extracts a directory from a fake and lands it, without real waiting."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import AccessReviewError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.directories.extract import extract
from pipeline.sources.extract import ExtractJob
from pipeline.spool import PageEntry, Spool
from pipeline.warehouse import database, landing, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model_file import LANDING_LAYERS, load_folder
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.provider import load_people
from tests.fakes.http import HttpServer, Reply, Request
from tests.fakes.okta import FakeOkta
from tests.sources.conftest import Waiting

SNAPSHOT = "20260301T000000Z-0001"
END = datetime(2026, 3, 1, 1)  # noqa: DTZ001
MODELS = load_folder(resources.sql(), LANDING_LAYERS)


@dataclass
class Landed:
    """A landed extract: what it holds, what was requested, and everything that was written."""

    completeness: str
    reason: str | None
    error: AccessReviewError | None
    rows: dict[str, list[Any]]
    checks: dict[str, str]
    missing: dict[str, str]
    settings: dict[str, str]
    people: list[dict[str, Any]]
    pages: list[PageEntry]
    written: bytes
    requests: list[Request]
    slept: list[float]

    def by_id(self, resource: str) -> dict[str, Any]:
        return {row["id"]: row for row in self.rows[resource]}

    @property
    def members(self) -> set[tuple[str, str]]:
        return {(row["group_id"], row["id"]) for row in self.rows["members"]}


def read(
    answer: Callable[[Request], Reply],
    folder: Path,
    credentials: Credentials,
    waiting: Waiting | None = None,
    **keys: Any,
) -> Landed:
    """Extract a directory and land it; ``keys`` are those of the source, ``{url}`` in a text is the server."""
    spool, waiting = Spool.create(folder / "spool"), waiting or Waiting()
    error: AccessReviewError | None = None
    with HttpServer(answer) as http:
        given = {
            name: value.format(url=http.url) if isinstance(value, str) else value for name, value in keys.items()
        }
        source = SourceSettings(**{"name": "idp", "url": http.url, "page_size": 1000, **given})
        job = ExtractJob(source, spool, lambda *_: None, waiting.clock, waiting.sleep)
        try:
            extract(job, credentials)
        except AccessReviewError as failure:
            error = failure
        requests = list(http.requests)
    spool.close()
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    if not any(page.file for page in spool.pages()):  # the program lands nothing then
        nothing: dict[str, Any] = {key: [] for key in ("users", "groups", "members", "assignments")}
        return Landed("NOTHING", None, error, nothing, {}, {}, {}, [], [], written, requests, waiting.slept)
    with database.writing(folder / "db.duckdb", notify=lambda text: None) as connection:
        snapshot = landing.land(connection, spool, MODELS, _job())
        rows = {
            name: [json.loads(row[0]) for row in connection.execute(_accepted(name)).fetchall()]
            for name in ("users", "groups", "members", "assignments")
        }
        checks = {str(row[1]): str(row[2]) for row in snapshots.reconciliation(connection, SNAPSHOT)}
        found = connection.execute("select missing, settings from meta.sources").fetchall()
        people = _people(connection) if rows["users"] else []
    return Landed(
        snapshot.completeness, snapshot.reason, error, rows, checks, json.loads(found[0][0]), json.loads(found[0][1]),
        people, list(spool.pages()), b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()),
        requests, waiting.slept,
    )  # fmt: skip


def _accepted(resource: str) -> str:
    return f"select payload from raw.directory_{resource} where is_accepted order by page, ordinal"


def _people(connection: Connection) -> list[dict[str, Any]]:
    load_people(connection, "idp", SNAPSHOT, END)
    result = connection.execute("select * from policy.roster order by person_id")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _job() -> landing.LandingJob:
    return landing.LandingJob(
        snapshot_id=SNAPSHOT,
        started_at=datetime(2026, 3, 1),  # noqa: DTZ001
        finished_at=END,
        policy_files=PolicyFiles(resources.reference_data(), None, ("example.com",)),
        tool_version="0",
        config_sha256="",
    )


def users_page(request: Request) -> bool:
    return request.path == "/api/v1/users" and "filter" not in request.query


def assert_all_of_okta(okta: FakeOkta, landed: Landed) -> None:
    assert landed.completeness == "FULL", landed.reason
    assert landed.by_id("users").keys() == {user["id"] for user in okta.users}
    assert len(landed.rows["users"]) == len(okta.users)
    assert landed.by_id("groups").keys() == okta.groups.keys()
    assert landed.members == {
        (key, user) for key, (name, users) in okta.groups.items() if name != "Everyone" for user in users
    }
    assert landed.by_id("assignments").keys() == okta.assigned.keys()
