"""Contract with the published API: the simulator answers as it says, and the program sends only what it lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.simulator.population import CALLER, Population
from pipeline.simulator.server import Simulator
from pipeline.sources.extract import ExtractJob
from pipeline.sources.sisense.extract import extract
from pipeline.sources.sisense.writing import connected
from pipeline.spool import Spool
from tests.simulator.published_api import OPERATIONS, Operation, published, violations

Start = Callable[..., tuple[Simulator, httpx.Client]]
READS = [each for each in OPERATIONS if each.method == "GET" and "{id}" not in each.path]


def source_of(simulator: Simulator) -> tuple[SourceSettings, Credentials]:
    source = SourceSettings(name="prod", kind="sisense", url=simulator.url, page_size=200)
    return source, Credentials(simulator.username, Secret(simulator.password), None)


# the simulator -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.path)
def test_every_published_read_is_answered_in_its_shape(api: httpx.Client, operation: Operation) -> None:
    reply = api.get(operation.path)

    assert reply.status_code in operation.statuses
    assert reply.headers["content-type"].startswith("application/json")
    assert violations(operation, reply.json()) == []


@pytest.mark.parametrize("kind", ["users", "groups"])
def test_one_record_is_answered_in_the_shape_of_its_list(
    api: httpx.Client, population: Population, kind: str
) -> None:
    record_id = getattr(population, kind)[0]["_id"]
    operation = published("GET", f"/api/v1/{kind}/{record_id}")
    assert operation is not None

    assert violations(operation, api.get(f"/api/v1/{kind}/{record_id}").json()) == []
    assert api.get(f"/api/v1/{kind}/{'0' * 24}").status_code == 404


def test_what_is_read_by_name_is_answered_in_its_shape(api: httpx.Client, population: Population) -> None:
    objects = population.objects
    extract = next(model for model in objects.models if not model.is_live and model.rules)
    live = next(model for model in objects.models if model.is_live and model.rules)
    paths = [
        f"/api/v1/dashboards/{objects.dashboards[0].oid}/shares",
        f"/api/shares/dashboard/{objects.dashboards[0].oid}",
        "/api/elasticubes/servers/localhost",
        f"/api/elasticubes/localhost/{extract.title}/permissions",
        f"/api/elasticubes/localhost/{extract.title}/datasecurity",
        f"/api/v1/elasticubes/live/{live.title}/datasecurity",
        f"/api/v1/report_manager/reports/{objects.reports[0]['_id']}",
    ]

    for path in paths:
        operation = published("GET", path)
        assert operation is not None
        assert violations(operation, api.get(path).json()) == []


def test_users_without_paging_are_all_users_with_their_roles_as_objects(
    api: httpx.Client, population: Population
) -> None:
    names = {role["_id"]: role["name"] for role in population.roles}

    rows = api.get("/api/v1/users", params={"expand": "groups,role"}).json()

    assert [row["_id"] for row in rows] == [user["_id"] for user in population.users]
    for row, user in zip(rows, population.users, strict=True):
        assert row["email"] == user["email"]
        assert row.get("firstName", "") == user.get("firstName", "")
        assert (row["role"] or {}).get("name", "") == names.get(user.get("roleId"), "")


@pytest.mark.parametrize("name", ["Finance Team", "Admins", "All users in system"])
def test_a_group_by_its_name_has_its_members(api: httpx.Client, population: Population, name: str) -> None:
    [group] = api.get("/api/v1/groups", params={"name": name, "expand": "users"}).json()

    assert [member["_id"] for member in group["users"]] == population.members[group["_id"]]


def test_roles_groups_and_the_caller_are_as_the_population_has_them(
    api: httpx.Client, population: Population
) -> None:
    roles = api.get("/api/roles").json()

    assert {role["name"]: role["_id"] for role in roles} == {role["name"]: role["_id"] for role in population.roles}
    assert api.get("/api/v1/groups").json() == population.groups
    assert api.get("/api/users/loggedin").json()["userName"] == CALLER


# the program -------------------------------------------------------------------------------------------------


def assert_all_published(simulator: Simulator) -> None:
    """Assert that each request so far is a published call, with published parameters."""
    assert simulator.sisense.log
    for item in simulator.sisense.log:
        operation = published(item.method, item.path)
        assert operation is not None, f"{item.method} {item.path} is not published"
        assert set(item.query) <= operation.query, f"{item.method} {item.path} with {sorted(item.query)}"
        assert item.status in operation.statuses, f"{item.method} {item.path} answers {item.status}"


def test_an_extract_sends_only_published_requests(start: Start, tmp_path: Path) -> None:
    simulator, _ = start()
    source, credentials = source_of(simulator)

    spool = Spool.create(tmp_path / "spool")
    outcome = extract(ExtractJob(source, spool, lambda *_: None), credentials)
    spool.close()

    assert outcome.error is None
    assert outcome.missing == {}
    assert_all_published(simulator)


def test_changes_are_published_requests_and_read_back_in_the_published_shape(start: Start) -> None:
    simulator, api = start()
    source, credentials = source_of(simulator)

    async def work() -> str:
        async with connected(source, credentials) as writer:
            [role_id] = [role["_id"] for role in await writer.roles() if role["name"] == "consumer"]
            group_ids = [group["_id"] for group in await writer.groups() if group["name"] == "Legal Team"]
            name = "new@example.com"
            await writer.create({"userName": name, "email": name, "roleId": role_id, "groups": group_ids})
            [made] = await writer.accounts(userName=name)
            assert (made.role_id, made.groups) == (role_id, tuple(group_ids))
            await writer.change(made.account_id, {"active": False, "firstName": "New"})
            return made.account_id

    account_id = asyncio.run(work())
    operation = published("GET", f"/api/v1/users/{account_id}")
    assert operation is not None
    read = api.get(f"/api/v1/users/{account_id}").json()

    assert violations(operation, read) == []
    assert (read["active"], read["firstName"]) == (False, "New")
    assert_all_published(simulator)
