"""Reading SCIM from an independent server: all records, or not FULL, whatever faults lie in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.settings import Secret, SourceSettings
from pipeline.sources.errors import NoScimError
from pipeline.sources.extract import ExtractJob
from pipeline.sources.scim import endpoint
from pipeline.sources.scim import extract as scim
from pipeline.spool import Spool
from pipeline.warehouse import database, landing, snapshots
from pipeline.warehouse.model_file import load_folder
from pipeline.warehouse.policy import PolicyFiles
from tests.fakes.http import HttpServer, Reply, Request, as_html, as_json
from tests.fakes.scim import TOKEN, RealScim
from tests.sources.conftest import Waiting

SNAPSHOT = "20260101T000000Z-0001"


@pytest.fixture(scope="module")
def small() -> RealScim:
    return RealScim(210, 12)


@pytest.fixture
def server(small: RealScim) -> Iterator[RealScim]:
    yield small
    small.before = lambda request, query: None
    small.after = lambda request, document: document


@dataclass
class Landed:
    completeness: str
    reason: str | None
    users: list[Any]
    groups: list[Any]
    checks: dict[str, str]
    written: bytes

    @property
    def user_ids(self) -> set[str]:
        return {user["id"] for user in self.users if isinstance(user, dict) and "id" in user}


def read(answer: Any, folder: Path, page_size: int = 37) -> Landed:
    """Extract and land, without real waiting."""
    spool, waiting = Spool.create(folder / "spool"), Waiting()
    with HttpServer(answer) as http:
        source = SourceSettings(name="idp", kind="scim", url=f"{http.url}/scim/v2", page_size=page_size)
        extract_job = ExtractJob(source, spool, lambda *_: None, waiting.clock, waiting.sleep)
        scim.extract(extract_job, Secret(TOKEN))
    spool.close()
    with database.writing(folder / "db.duckdb", notify=lambda text: None) as connection:
        job = landing.LandingJob(
            snapshot_id=SNAPSHOT,
            started_at=datetime(2026, 1, 1),  # noqa: DTZ001
            finished_at=datetime(2026, 1, 1, 1),  # noqa: DTZ001
            policy_files=PolicyFiles(resources.reference_data(), None, ("example.com",)),
            tool_version="0",
            config_sha256="",
        )
        snapshot = landing.land(connection, spool, load_folder(resources.sql()), job)
        rows = {
            table: [
                json.loads(payload)
                for (payload,) in connection.execute(f"select payload from raw.{table} where is_accepted").fetchall()
            ]
            for table in ("scim_users", "scim_groups")
        }
        checks = {str(row[1]): str(row[2]) for row in snapshots.reconciliation(connection, SNAPSHOT)}
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return Landed(snapshot.completeness, snapshot.reason, rows["scim_users"], rows["scim_groups"], checks, written)


def by_id(records: list[Any]) -> dict[str, Any]:
    return {record["id"]: record for record in records}


def assert_all(server: RealScim, landed: Landed) -> None:
    assert landed.completeness == "FULL", landed.reason
    assert len(landed.users) == len(server.users)
    assert by_id(landed.users) == server.users
    assert by_id(landed.groups) == server.groups


def test_two_thousand_users_and_a_hundred_groups_are_read_by_37(tmp_path: Path) -> None:
    server = RealScim(2000, 100)

    landed = read(server.answer, tmp_path)

    assert_all(server, landed)
    assert landed.checks["scim_as_specified"] == "PASS"
    assert landed.checks["scim_groups_counted"] == "PASS"


def test_a_server_that_caps_count_is_followed(server: RealScim, tmp_path: Path) -> None:
    def cap(request: Request, query: dict[str, str]) -> None:
        query["count"] = str(min(10, int(query.get("count", "10"))))

    server.before = cap

    assert_all(server, read(server.answer, tmp_path))


def test_a_server_that_ignores_start_index_is_read_completely(server: RealScim, tmp_path: Path) -> None:
    def ignore(request: Request, query: dict[str, str]) -> None:
        query["startIndex"] = "1"
        if query.get("count") != "0":
            query["count"] = "1000"

    server.before = ignore

    assert_all(server, read(server.answer, tmp_path, page_size=500))


def test_short_pages_lose_no_record(server: RealScim, tmp_path: Path) -> None:
    def shorten(request: Request, query: dict[str, str]) -> None:
        if int(query.get("startIndex", "1")) % 3 == 1 and int(query.get("count", "0")) > 5:
            query["count"] = str(int(query["count"]) - 4)

    server.before = shorten

    assert_all(server, read(server.answer, tmp_path))


def test_an_endpoint_in_trouble_is_retried(server: RealScim, tmp_path: Path) -> None:
    asked = 0

    def trouble(request: Request, query: dict[str, str]) -> Reply | None:
        nonlocal asked
        asked += 1
        return {3: Reply(503), 5: Reply(reset=True), 7: Reply(429), 9: as_html(), 11: Reply(body=b'{"Resou')}.get(
            asked % 13
        )

    server.before = trouble

    assert_all(server, read(server.answer, tmp_path))


def test_an_endpoint_without_optional_answers_is_full(server: RealScim, tmp_path: Path) -> None:
    def bare(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in document.items() if key != "itemsPerPage"}

    server.before = lambda request, query: Reply(404) if request.path.endswith("Config") else None
    server.after = bare

    assert_all(server, read(server.answer, tmp_path))


@pytest.mark.parametrize("lie", [-3, 3])
def test_a_wrong_total_is_never_full(server: RealScim, tmp_path: Path, lie: int) -> None:
    def exaggerate(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        if request.path.endswith("/Users"):
            document["totalResults"] += lie
        return document

    server.after = exaggerate

    landed = read(server.answer, tmp_path)

    assert landed.user_ids == set(server.users)
    assert landed.completeness == "PARTIAL"
    assert f"counts {len(server.users) + lie} users" in (landed.reason or "")


@pytest.mark.parametrize("odd", ["a string", None, 17, {"userName": "nobody"}, {"id": ""}, {"id": ["x"]}])
def test_an_invalid_record_keeps_its_page_and_is_never_full(server: RealScim, tmp_path: Path, odd: Any) -> None:
    spoilt = list(server.users)[40]

    def spoil(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        if request.path.endswith("/Users"):
            document["Resources"] = [
                odd if record["id"] == spoilt else record for record in document.get("Resources", [])
            ]
        return document

    server.after = spoil

    landed = read(server.answer, tmp_path)

    assert by_id([user for user in landed.users if user != odd]) == {
        key: value for key, value in server.users.items() if key != spoilt
    }
    assert odd in landed.users
    assert landed.checks["scim_as_specified"] == "FAIL"
    assert landed.completeness == "PARTIAL"


def test_odd_fields_are_kept_as_they_came_and_the_extract_is_full(server: RealScim, tmp_path: Path) -> None:
    def odd(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        for record in document.get("Resources", []):
            record |= {"active": "yes", "emails": {"value": 5}, "meta": [], "name": None}
        return document

    server.after = odd

    landed = read(server.answer, tmp_path)

    assert landed.completeness == "FULL", landed.reason
    assert all(user["emails"] == {"value": 5} and user["active"] == "yes" for user in landed.users)


def test_secrets_reach_neither_the_disk_nor_a_message(server: RealScim, tmp_path: Path) -> None:
    def leak(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        for record in document.get("Resources", []):
            record |= {"password": "canary-password", "displayName": f"x {TOKEN} y", "nickName": f"\u00e9{TOKEN}"}
        return document

    server.after = leak

    landed = read(server.answer, tmp_path)

    assert landed.completeness == "FULL", landed.reason
    assert b"canary-password" not in landed.written
    assert TOKEN.encode() not in landed.written


@pytest.mark.parametrize(
    "reply",
    [as_html(), Reply(404), Reply(401, TOKEN.encode()), Reply(403), as_json({"hello": TOKEN}), as_json([1])],
    ids=["web page", "404", "401", "403", "another object", "a list"],
)
def test_an_address_without_scim_is_an_error_with_a_hint(tmp_path: Path, reply: Reply) -> None:
    spool, waiting = Spool.create(tmp_path / "spool"), Waiting()
    with HttpServer(lambda request: reply) as http:
        source = SourceSettings(name="idp", kind="scim", url=f"{http.url}/scim/v2")
        with pytest.raises(NoScimError, match="no SCIM here") as caught:
            scim.extract(ExtractJob(source, spool, lambda *_: None, waiting.clock, waiting.sleep), Secret(TOKEN))
    spool.close()

    [outcome] = spool.outcomes()
    assert outcome.error == str(caught.value)
    assert "Admin > Security" in caught.value.hint
    assert TOKEN not in str(caught.value) + caught.value.hint
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_probe_returns_what_the_endpoint_says_about_itself(server: RealScim) -> None:
    with HttpServer(server.answer) as http:
        source = SourceSettings(name="idp", kind="scim", url=f"{http.url}/scim/v2")

        found = endpoint.probe(source, Secret(TOKEN))

    assert (found.users, found.groups) == (len(server.users), len(server.groups))
    assert found.operations is not None
    assert found.operations["patch"] is True
