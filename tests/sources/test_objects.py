"""Dashboards, models, row rules and settings are read from every flavour of server; no secret or value is kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.settings import Credentials, Secret
from pipeline.simulator.objects import ROW_VALUE_MARKS, SETTINGS_SECRET, Objects
from pipeline.simulator.population import Population, build
from pipeline.simulator.server import Simulator
from tests.sources.conftest import Extract, Extracting, extract_from

LISTS = ("dashboards", "models", "row_rules", "folders", "seats", "sign_on", "mailed_reports", "tenants")
FULL = dict.fromkeys(LISTS, "FULL")
Read = Callable[..., tuple[Objects, Extract]]


@pytest.fixture(scope="module")
def population() -> Population:
    return build(240, 4, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def read(extracting: Extracting, population: Population) -> Read:
    """Extract a server with scenarios; return the objects that it holds, and the extract."""

    def run(*scenarios: str, **settings: Any) -> tuple[Objects, Extract]:
        with Simulator(population=population, scenarios=scenarios) as simulator:
            options = {"objects": "auto", "page_size": 20, "concurrency": 8, **settings}
            done = extracting(simulator.url, Credentials(None, None, Secret(simulator.token)), **options)
            return simulator.sisense.store.objects, done

    return run


@pytest.fixture(scope="module")
def accounts_alone(population: Population, tmp_path_factory: pytest.TempPathFactory) -> Extract:
    """Return an extract without objects."""
    with Simulator(population=population) as simulator:
        folder = tmp_path_factory.mktemp("accounts") / "spool"
        token = Credentials(None, None, Secret(simulator.token))
        return extract_from(simulator.url, folder, token, objects=False, page_size=20)


def states(done: Extract) -> dict[str, str]:
    """Return the state of each list, as graph.object_lists derives it."""
    found = {}
    for name in LISTS:
        checks = [seen for seen in done.outcome.observations if seen.check_id.startswith(f"{name}_")]
        results = {seen.check_id: seen.result for seen in checks}
        assert all(not seen.is_gate for seen in checks)
        if not checks:
            found[name] = "NOT_READ"
        elif "FAIL" in results.values():
            found[name] = "PARTIAL"
        else:
            found[name] = "NOT_AVAILABLE" if results[f"{name}_read"] == "NOT_AVAILABLE" else "FULL"
    return found


def by_id(done: Extract, resource: str) -> dict[str, Any]:
    """Return records by id, without the times of the caller's own login."""
    ignored = {"lastLogin", "lastActivity"}
    return {row["_id"]: {k: v for k, v in row.items() if k not in ignored} for row in done.rows(resource)}


def explanation(done: Extract, name: str) -> str:
    return " ".join(
        seen.explanation for seen in done.outcome.observations
        if seen.check_id.startswith(f"{name}_") and seen.result != "PASS"
    )  # fmt: skip


def dashboards(done: Extract) -> dict[str, dict[str, Any]]:
    rows = [row for row in done.rows("dashboards") if not row.get("isCopy")]
    assert [oid for oid, times in Counter(row["oid"] for row in rows).items() if times > 1] == []
    return {row["oid"]: row for row in rows}


def assert_dashboards(objects: Objects, done: Extract, *, has_rule: bool = True) -> None:
    found = dashboards(done)
    assert set(found) == {each.oid for each in objects.dashboards}
    for made in objects.dashboards:
        row = found[made.oid]
        assert (row["title"], row["owner"], row["parentFolder"]) == (made.title, made.owner, made.folder)
        assert row["isPublic"] is made.is_public
        assert {each["email"] for each in row["sharesToNew"]} == set(made.invitations)
        shares = {(share["shareId"], share["type"]) for share in row["shares"]}
        assert shares == {(share["shareId"], share["type"]) for share in made.all_shares}
        if has_rule:
            rules = {share["shareId"]: share["rule"] for share in row["shares"]}
            assert rules == {share["shareId"]: share.get("rule") for share in made.all_shares}


def assert_models(objects: Objects, done: Extract) -> None:
    found = {row["_id"]: row for row in done.rows("models")}
    assert len(done.rows("models")) == len(found) == len(objects.models)
    rules = Counter(row["modelId"] for row in done.rows("row_rules"))
    for made in objects.models:
        row = found[made.model_id]
        assert (row["title"], row["kind"], row["server"] or "") == (
            made.title, "live" if made.is_live else "extract", made.server
        )  # fmt: skip
        assert row["hasRowRules"] is True
        assert {(s["partyId"], s["permission"]) for s in row["shares"]} == {
            (s["partyId"], s["permission"]) for s in made.shares
        }
        assert rules[made.model_id] == len(made.rules)


@pytest.mark.parametrize(
    "scenario",
    [
        None, "no-shares", "fields-drop-shares", "strict-objects", "admin-access", "dashboard-copies",
        "dashboard-drift",
        "owner-with-rule", "capped-objects", "whole-objects", "dangling-parties", "odd-titles", "live-only",
        "windows-servers", "odd-row-rules",
    ],
)  # fmt: skip
def test_everything_is_read_whatever_the_flavour(read: Read, scenario: str | None) -> None:
    objects, done = read(*[scenario] if scenario else [])

    assert done.failed == set()
    assert states(done) == FULL, [seen for seen in done.outcome.observations if seen.result == "FAIL"]
    assert_dashboards(objects, done, has_rule=scenario != "owner-with-rule")
    assert_models(objects, done)
    assert {row["oid"] for row in done.rows("folders")} == {folder["oid"] for folder in objects.folders}
    assert len(done.rows("mailed_reports")) == len(objects.reports)
    assert Counter(row["setting"] for row in done.rows("posture")) == {"seats": 1, "sso": 1, "lockout": 1}
    assert len(done.rows("tenants")) == 1
    written = done.everything_written().decode()
    assert SETTINGS_SECRET not in written
    for mark in ROW_VALUE_MARKS:  # a number may also be a part of a hash
        assert not re.search(rf'[\[",:]{mark}', written)


@pytest.mark.parametrize(
    ("scenario", "expected", "said"),
    [
        (
            "no-objects",
            dict.fromkeys(LISTS, "NOT_AVAILABLE"),
            ("dashboards", "This Sisense does not offer this (404)."),
        ),
        (
            "objects-refused",
            dict.fromkeys(LISTS, "NOT_AVAILABLE"),
            ("models", "The account that reads Sisense may not see this (403)."),
        ),
        (
            "seats-refused",
            FULL | {"seats": "NOT_AVAILABLE"},
            ("seats", "The account that reads Sisense may not see this (403)."),
        ),
        (
            "row-rules-refused",
            FULL | {"row_rules": "NOT_AVAILABLE"},
            ("row_rules", "The account that reads Sisense may not see this (403)."),
        ),
        (
            "models-fail-midway",
            FULL | {"models": "PARTIAL", "row_rules": "PARTIAL"},
            ("models", "not read to their end"),
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_accounts_stay_complete(
    read: Read, accounts_alone: Extract, scenario: str, expected: dict[str, str], said: tuple[str, str]
) -> None:
    plain = accounts_alone

    done = read(scenario)[1]

    assert states(done) == expected
    assert said[1] in explanation(done, said[0])
    assert (done.failed, done.error) == (set(), None)
    assert done.outcome.missing == plain.outcome.missing
    for resource in ("users", "roles", "groups"):
        assert by_id(done, resource) == by_id(plain, resource)


def test_objects_false_sends_no_request(extracting: Extracting, population: Population) -> None:
    with Simulator(population=population) as simulator:
        done = extracting(simulator.url, Credentials(None, None, Secret(simulator.token)), objects=False)
        paths = {logged.path for logged in simulator.sisense.log}

    assert states(done) == dict.fromkeys(LISTS, "NOT_READ")
    assert not [
        path for path in paths if re.search("dashboard|elasticube|folders|license|settings|report|tenants", path)
    ]
    assert done.outcome.settings["objects"] == "false"
