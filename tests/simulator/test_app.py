"""The simulated API has the shapes, the paging and the errors of the documented one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.app import LARGEST_PAGE, LEAKED_HASH
from pipeline.simulator.population import Population
from pipeline.simulator.server import Simulator

Start = Callable[..., tuple[Simulator, httpx.Client]]


def group_named(population: Population, name: str) -> dict[str, Any]:
    return next(group for group in population.groups if group["name"] == name)


# login -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["data", "json"])
def test_a_login_gives_a_token_that_opens_the_api(shared: Simulator, form: str) -> None:
    credentials = {"username": shared.username, "password": shared.password}

    with httpx.Client(base_url=shared.url) as http:
        reply = http.post("/api/v1/authentication/login", **{form: credentials})  # type: ignore[arg-type]
        token = reply.json()["access_token"]
        users = http.get("/api/v1/users?limit=1", headers={"Authorization": f"Bearer {token}"})

    assert reply.json()["success"] is True
    assert users.status_code == 200


def test_a_wrong_password_is_401_and_does_not_lock_the_account(shared: Simulator) -> None:
    with httpx.Client(base_url=shared.url) as http:
        refused = [
            http.post("/api/v1/authentication/login", data={"username": shared.username, "password": "wrong"})
            for _ in range(5)
        ]
        right = http.post(
            "/api/v1/authentication/login", data={"username": shared.username, "password": shared.password}
        )

    assert {reply.status_code for reply in refused} == {401}
    assert refused[0].json()["error"]["status"] == 401
    assert right.status_code == 200


def test_a_login_without_credentials_is_422(shared: Simulator) -> None:
    assert httpx.post(f"{shared.url}/api/v1/authentication/login", data={"username": "x"}).status_code == 422


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic dXNlcg=="])
def test_without_a_good_token_every_list_is_401_with_a_body(shared: Simulator, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    for path in ("/api/v1/users", "/api/users/count", "/api/roles", "/api/v1/groups", "/api/users/loggedin"):
        reply = httpx.get(shared.url + path, headers=headers)
        assert (reply.status_code, reply.json()["error"]["httpMessage"]) == (401, "Unauthorized")


def test_a_login_token_expires_and_an_api_token_does_not(start: Start) -> None:
    simulator, api = start()
    simulator.sisense.token_seconds = 0
    login = api.post(
        "/api/v1/authentication/login", data={"username": simulator.username, "password": simulator.password}
    )

    expired = api.get("/api/v1/users", headers={"Authorization": f"Bearer {login.json()['access_token']}"})

    assert expired.status_code == 401
    assert api.get("/api/users/count").status_code == 200


def test_revoked_tokens_are_401_until_the_next_login(start: Start) -> None:
    simulator, api = start()
    simulator.sisense.revoke_tokens()

    assert api.get("/api/users/count").status_code == 401


# reading ---------------------------------------------------------------------------------------------------


def test_pages_contain_every_account_and_end_with_an_empty_one(api: httpx.Client, population: Population) -> None:
    pages = [api.get("/api/v1/users", params={"skip": skip, "limit": 120}).json() for skip in range(0, 720, 120)]

    assert [len(page) for page in pages] == [120, 120, 120, 120, 20, 0]
    assert [user for page in pages for user in page] == population.users


def test_a_list_without_paging_is_complete(api: httpx.Client, population: Population) -> None:
    assert api.get("/api/v1/users").json() == population.users


def test_a_page_has_fifty_rows_by_default(api: httpx.Client) -> None:
    assert len(api.get("/api/v1/users", params={"skip": 0}).json()) == 50


def test_no_page_is_larger_than_the_cap() -> None:
    with Simulator(LARGEST_PAGE + 200, 1) as simulator:
        headers = {"Authorization": f"Bearer {simulator.token}"}
        page = httpx.get(f"{simulator.url}/api/v1/users", params={"limit": 5_000}, headers=headers).json()

    assert len(page) == LARGEST_PAGE


def test_sorting_goes_both_ways_and_missing_values_come_first(api: httpx.Client) -> None:
    names = [user["userName"] for user in api.get("/api/v1/users", params={"sort": "-userName"}).json()]
    logins = [user.get("lastLogin") for user in api.get("/api/v1/users", params={"sort": "lastLogin"}).json()]

    assert names == sorted(names, reverse=True)
    assert not logins[0]


def test_filters_return_exactly_the_matching_accounts(api: httpx.Client, population: Population) -> None:
    group = group_named(population, "Finance Team")
    someone = population.users[40]

    def ids(**query: str) -> set[str]:
        return {user["_id"] for user in api.get("/api/v1/users", params=query).json()}

    assert ids(userName=someone["userName"]) == {someone["_id"]}
    assert ids(ids=f"{someone['_id']},{population.users[3]['_id']}") == {someone["_id"], population.users[3]["_id"]}
    assert ids(active="false") == {u["_id"] for u in population.users if u.get("active") is False}
    assert ids(groupId=group["_id"]) == {
        u["_id"] for u in population.users if group["_id"] in (u.get("groups") or [])
    }
    assert ids(roleId=someone["roleId"]) == {
        u["_id"] for u in population.users if u.get("roleId") == someone["roleId"]
    }
    assert ids(origin="ad") == {u["_id"] for u in population.users if u["activeDirectory"]}


def test_fields_includes_or_excludes_fields(api: httpx.Client) -> None:
    chosen = api.get("/api/v1/users", params={"limit": 1, "fields": "email"}).json()[0]
    left = api.get("/api/v1/users", params={"limit": 1, "fields": "-email,-groups"}).json()[0]

    assert set(chosen) == {"_id", "email"}
    assert "email" not in left
    assert "userName" in left


def test_expand_turns_ids_into_objects_and_leaves_dangling_ones(api: httpx.Client, population: Population) -> None:
    expanded = api.get("/api/v1/users", params={"expand": "groups,role"}).json()
    lost = {
        item.account_id: item.subject
        for item in population.planted[PlantedRule.DANGLING_REFERENCE]
        if item.subject is not None
    }
    names = {role["_id"]: role["name"] for role in population.roles}

    by_id = {user["_id"]: user for user in expanded}
    for user in population.users:
        role = by_id[user["_id"]]["role"]
        assert (role and role["name"]) == names.get(user.get("roleId"))
    for account_id, reference in lost.items():
        user = by_id[account_id]
        assert reference == user["roleId"] or reference in user["groups"]
    assert isinstance(by_id[population.members[group_named(population, "Finance Team")["_id"]][0]]["groups"][0], dict)


@pytest.mark.parametrize(
    "query",
    [{"skip": "-1"}, {"limit": "many"}, {"active": "perhaps"}, {"sort": "shoe"}, {"expand": "x"}, {"origin": "x"}],
)
def test_invalid_values_are_422(api: httpx.Client, query: dict[str, str]) -> None:
    reply = api.get("/api/v1/users", params=query)

    assert reply.status_code == 422
    assert reply.json()["error"]["status"] == 422


def test_an_account_is_returned_by_id_and_an_unknown_id_is_error_2001(
    api: httpx.Client, population: Population
) -> None:
    user = population.users[7]
    missing = api.get("/api/v1/users/0123456789abcdef01234567")

    assert api.get(f"/api/v1/users/{user['_id']}").json() == user
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, 2001)
    assert api.get("/api/v1/nothing").status_code == 404


def test_the_server_returns_the_count_and_the_caller(api: httpx.Client, shared: Simulator) -> None:
    assert api.get("/api/users/count").json() == {"collection": "users", "count": 500}
    for path in ("/api/users/loggedin", "/api/v1/users/loggedin"):
        me = api.get(path).json()
        assert (me["userName"], me["roleName"]) == (shared.username, "admin")


def test_the_status_needs_no_login(shared: Simulator) -> None:
    assert httpx.get(f"{shared.url}/api/v1/application/status").json()["version"]["version"]


@pytest.mark.parametrize("path", ["/api/roles", "/api/v1/roles"])
def test_roles_show_manifest_and_base_on_request(api: httpx.Client, population: Population, path: str) -> None:
    plain = api.get(path).json()
    full = api.get(path, params={"includeManifest": "true", "includeBaseRolesName": "true"}).json()

    assert full == population.roles
    assert not any({"manifest", "baseRoleName"} & set(role) for role in plain)


def test_groups_show_their_side_of_membership(api: httpx.Client, population: Population) -> None:
    plain = api.get("/api/v1/groups").json()
    expanded = api.get("/api/v1/groups", params={"expand": "users", "skip": 0, "limit": 500}).json()

    assert plain == population.groups
    assert {g["_id"]: [u["_id"] for u in g["users"]] for g in expanded} == population.members
    assert api.get("/api/v1/groups", params={"skip": 500, "limit": 500}).json() == []


def test_one_group_comes_by_its_id(api: httpx.Client, population: Population) -> None:
    group = group_named(population, "Legal Team")

    assert api.get(f"/api/v1/groups/{group['_id']}").json() == group
    assert [u["_id"] for u in api.get(f"/api/groups/{group['_id']}/users").json()] == population.members[group["_id"]]
    assert api.get("/api/v1/groups/nothing").status_code == 404


def test_the_legacy_list_leaks_hashes_and_the_current_one_does_not(api: httpx.Client) -> None:
    assert LEAKED_HASH in api.get("/api/users?limit=5").text
    assert LEAKED_HASH not in api.get("/api/v1/users?limit=5").text


def test_both_sides_of_membership_disagree_only_where_it_is_planted(population: Population) -> None:
    builtin = {
        group["_id"] for group in population.groups if group["name"] in {"Everyone", "Admins", "All users in system"}
    }
    known = {group["_id"] for group in population.groups}
    users_say = {(u["_id"], g) for u in population.users for g in u.get("groups") or [] if g in known}
    groups_say = {(m, g) for g, members in population.members.items() if g not in builtin for m in members}

    assert users_say ^ groups_say == {
        (item.account_id, item.subject) for item in population.planted[PlantedRule.MEMBERSHIP_DISAGREEMENT]
    }


# writing ---------------------------------------------------------------------------------------------------


def test_an_update_changes_only_the_fields_that_were_sent(start: Start, population: Population) -> None:
    _, api = start()
    user = population.users[12]

    changed = api.patch(f"/api/v1/users/{user['_id']}", json={"active": False}).json()
    read = api.get(f"/api/v1/users/{user['_id']}").json()

    assert read == changed == {**user, "active": False, "lastUpdated": changed["lastUpdated"]}
    assert changed["lastUpdated"] > user["lastUpdated"]
    assert api.get("/api/v1/users", params={"ids": user["_id"]}).json() == [changed]
    assert population.users[12] is user


def test_changing_groups_changes_both_sides(start: Start, population: Population) -> None:
    _, api = start()
    legal = group_named(population, "Legal Team")["_id"]
    user_id = population.members[group_named(population, "Finance Team")["_id"]][0]

    reply = api.patch(f"/api/v1/users/{user_id}", json={"groups": [legal]})

    assert reply.json()["groups"] == [legal]
    holding = {
        g["_id"] for g in api.get("/api/v1/groups?expand=users").json() if user_id in [u["_id"] for u in g["users"]]
    }
    names = {g["name"] for g in population.groups if g["_id"] in holding}
    assert names - {"Everyone", "All users in system"} == {"Legal Team"}


@pytest.mark.parametrize(
    "body", [{"roleId": "nothing"}, {"groups": ["nothing"]}, {"active": "no"}, {"shoe": 1}, {"email": None}, [1]]
)
def test_an_invalid_update_is_422_and_changes_nothing(start: Start, population: Population, body: object) -> None:
    _, api = start()
    user = population.users[12]

    assert api.patch(f"/api/v1/users/{user['_id']}", json=body).status_code == 422
    assert api.get(f"/api/v1/users/{user['_id']}").json() == user


def test_an_account_is_created_counted_and_found(start: Start) -> None:
    _, api = start()

    created = api.post("/api/v1/users", json={"email": "new.person@example.com", "password": "a"})
    invited = api.post("/api/v1/users", json={"email": "guest.person@example.com"})

    assert created.status_code == invited.status_code == 201
    assert "password" not in created.json()
    assert (created.json()["active"], "pendingExpiration" in created.json()) == (True, False)
    assert (invited.json()["active"], "pendingExpiration" in invited.json()) == (False, True)
    assert api.get("/api/users/count").json()["count"] == 502
    ids = [user["_id"] for user in api.get("/api/v1/users").json()]
    assert created.json()["_id"] in ids
    assert ids == sorted(ids)
    assert api.post("/api/v1/users", json={"email": "new.person@example.com"}).status_code == 409
    assert api.post("/api/v1/users", json={"userName": "nobody"}).status_code == 422
    assert api.post("/api/v1/users", content=b"{").status_code == 422


def test_a_deleted_account_is_removed_everywhere(start: Start, population: Population) -> None:
    _, api = start()
    user_id = population.members[group_named(population, "Finance Team")["_id"]][0]

    reply = api.delete(f"/api/v1/users/{user_id}")

    assert (reply.status_code, reply.content) == (204, b"")
    assert api.get(f"/api/v1/users/{user_id}").status_code == 404
    assert api.delete(f"/api/v1/users/{user_id}").status_code == 404
    assert api.get("/api/users/count").json()["count"] == 499
    assert user_id not in api.get("/api/v1/groups?expand=users").text


# the record of what was asked ----------------------------------------------------------------------------------


def test_every_request_is_logged_without_secrets(start: Start) -> None:
    simulator, api = start()
    api.get("/api/v1/users", params={"skip": 0, "limit": 5})
    api.get("/api/v1/users/nobody")

    assert [(item.method, item.path, item.status) for item in simulator.sisense.log] == [
        ("GET", "/api/v1/users", 200),
        ("GET", "/api/v1/users/nobody", 404),
    ]
    assert simulator.sisense.log[0].query == {"skip": "0", "limit": "5"}
    assert simulator.token not in repr(simulator.sisense.log)
