"""The SCIM endpoint passes an independent tester of the RFC, and shows the same instance as the REST API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from scim2_tester import Status, check_server

from pipeline.simulator.population import SMALLEST
from pipeline.simulator.server import Simulator
from tests.fakes.scim_client import OverHttp

Start = Callable[..., tuple[Simulator, httpx.Client]]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def instance(start: Start) -> tuple[Simulator, httpx.Client]:
    return start()


@pytest.fixture
def scim(instance: tuple[Simulator, httpx.Client]) -> Iterator[httpx.Client]:
    simulator, _ = instance
    headers = {"Authorization": f"Bearer {simulator.scim_token}"}
    with httpx.Client(base_url=simulator.scim_url, headers=headers, timeout=20) as http:
        yield http


def test_scim2_tester_finds_no_error() -> None:
    # small enough that what the tester adds is on the first page, which is all it reads
    with Simulator(SMALLEST) as simulator:
        headers = {"Authorization": f"Bearer {simulator.scim_token}"}
        with httpx.Client(base_url=simulator.scim_url, headers=headers, timeout=20) as http:
            results = check_server(OverHttp(http))

    bad = [r for r in results if r.status in {Status.ERROR, Status.CRITICAL, Status.DEVIATION}]
    assert not bad, "\n".join(f"{r.title} {r.resource_type}: {r.reason}" for r in bad)
    assert not [r for r in results if r.status is Status.SKIPPED]
    counted = Counter(r.resource_type for r in results)
    assert counted["User"] > 50
    assert counted["Group"] > 10


def test_a_pushed_user_is_an_account_with_the_default_role(
    instance: tuple[Simulator, httpx.Client], scim: httpx.Client
) -> None:
    _, rest = instance
    pushed = {
        "schemas": [USER],
        "userName": "new@example.com",
        "externalId": "00u1",
        "name": {"givenName": "New", "familyName": "Comer"},
        "emails": [{"value": "new@example.com", "primary": True}],
        "active": True,
    }

    created = scim.post("/Users", json=pushed)
    again = scim.post("/Users", json=pushed | {"userName": "NEW@example.com"})
    account = rest.get(f"/api/v1/users/{created.json()['id']}").json()
    roles = {role["_id"]: role["name"] for role in rest.get("/api/roles").json()}

    assert created.status_code == 201
    assert created.json()["externalId"] == "00u1"
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    assert (account["userName"], account["email"], account["firstName"]) == (
        "new@example.com",
        "new@example.com",
        "New",
    )
    assert roles[account["roleId"]] == "consumer"
    assert account["groups"] == []


def test_group_push_makes_groups_and_never_touches_a_role(
    instance: tuple[Simulator, httpx.Client], scim: httpx.Client
) -> None:
    _, rest = instance
    user_id = scim.get("/Users", params={"count": 1}).json()["Resources"][0]["id"]
    before = rest.get(f"/api/v1/users/{user_id}").json()

    group = scim.post(
        "/Groups", json={"schemas": [GROUP], "displayName": "Admins of BI", "members": [{"value": user_id}]}
    )
    group_id = group.json()["id"]
    inside = rest.get(f"/api/v1/users/{user_id}").json()
    shown = next(g for g in rest.get("/api/v1/groups").json() if g["_id"] == group_id)
    members = rest.get(f"/api/groups/{group_id}/users").json()
    leave = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": f'members[value eq "{user_id}"]'}]}
    left = scim.patch(f"/Groups/{group_id}", json=leave)
    outside = rest.get(f"/api/v1/users/{user_id}").json()
    stranger = scim.post("/Groups", json={"schemas": [GROUP], "displayName": "X", "members": [{"value": "nobody"}]})
    deleted = scim.delete(f"/Groups/{group_id}")

    assert group_id in inside["groups"]
    assert inside.get("roleId") == before.get("roleId") == outside.get("roleId")
    assert (shown["name"], shown["roleId"]) == ("Admins of BI", None)
    assert [member["_id"] for member in members] == [user_id]
    assert left.status_code in {200, 204}
    assert group_id not in outside["groups"]
    assert stranger.status_code == 400
    assert deleted.status_code == 204
    assert group_id not in {g["_id"] for g in rest.get("/api/v1/groups").json()}


def test_changes_by_rest_appear_in_scim_and_vice_versa(
    instance: tuple[Simulator, httpx.Client], scim: httpx.Client
) -> None:
    _, rest = instance
    created = scim.post("/Users", json={"schemas": [USER], "userName": "both@example.com", "active": True}).json()
    off = {"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": False}]}

    rest.patch(f"/api/v1/users/{created['id']}", json={"email": "moved@example.com", "lastName": "Moved"})
    seen = scim.get(f"/Users/{created['id']}").json()
    patched = scim.patch(f"/Users/{created['id']}", json=off)

    assert seen["emails"][0]["value"] == "moved@example.com"
    assert seen["name"]["familyName"] == "Moved"
    assert patched.status_code in {200, 204}
    account = rest.get(f"/api/v1/users/{created['id']}").json()
    assert account["active"] is False
    assert account["email"] == "moved@example.com"


def test_lists_are_paged_filtered_and_hold_every_account(
    instance: tuple[Simulator, httpx.Client], scim: httpx.Client
) -> None:
    simulator, _ = instance
    expected = {user["_id"] for user in simulator.population.users}
    name = next(user["userName"] for user in simulator.population.users if "@" in user.get("userName", ""))

    pages = [
        scim.get("/Users", params={"startIndex": start, "count": 37}).json()
        for start in range(1, len(expected) + 38, 37)
    ]
    found = scim.get("/Users", params={"filter": f'userName eq "{name.upper()}"'}).json()
    bad = scim.get("/Users", params={"filter": "userName eq"})

    assert {page["totalResults"] for page in pages} == {len(expected)}
    ids = [user["id"] for page in pages for user in page.get("Resources", [])]
    assert len(ids) == len(expected)
    assert set(ids) == expected
    assert [user["userName"] for user in found["Resources"]] == [name]
    assert (bad.status_code, bad.json()["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize("token", [None, "wrong", "rest"])
def test_only_the_scim_token_is_accepted(instance: tuple[Simulator, httpx.Client], token: str | None) -> None:
    simulator, _ = instance
    given = simulator.token if token == "rest" else token
    headers = {} if given is None else {"Authorization": f"Bearer {given}"}

    reply = httpx.get(f"{simulator.scim_url}/Users", headers=headers)
    by_rest = httpx.get(f"{simulator.url}/api/v1/users", headers={"Authorization": f"Bearer {simulator.scim_token}"})

    assert reply.status_code == 401
    assert by_rest.status_code == 401
