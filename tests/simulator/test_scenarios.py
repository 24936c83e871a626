"""Each scenario does what its summary says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import UsageError
from pipeline.simulator.population import Population
from pipeline.simulator.scenarios import SCENARIOS
from pipeline.simulator.server import Simulator

Start = Callable[..., tuple[Simulator, httpx.Client]]


def page(api: httpx.Client, skip: int, limit: int = 100, path: str = "/api/v1/users") -> list[dict[str, object]]:
    reply = api.get(path, params={"skip": skip, "limit": limit})
    assert reply.status_code == 200
    return list(reply.json())


def every_page(api: httpx.Client, limit: int = 100) -> list[str]:
    """Read pages, each from the end of the last one, until one is empty."""
    ids: list[str] = []
    while rows := page(api, len(ids), limit):
        ids += [str(row["_id"]) for row in rows]
    return ids


def test_an_unknown_scenario_is_refused_and_the_error_lists_the_names() -> None:
    with pytest.raises(UsageError) as refused:
        Simulator(100, scenarios=["nonsense"])

    assert "flaky" in refused.value.hint


def test_every_scenario_has_a_summary_of_one_line() -> None:
    assert all(scenario.summary and "\n" not in scenario.summary for scenario in SCENARIOS.values())


def test_slow_changes_nothing_but_the_time(start: Start, population: Population) -> None:
    _, api = start("slow")

    assert page(api, 0, 5) == population.users[:5]


def test_capped_limit(start: Start) -> None:
    _, api = start("capped-limit")

    assert len(page(api, 0, 500)) == 100
    assert len(page(api, 0, 60)) == 60


def test_default_page(start: Start) -> None:
    _, api = start("default-page")

    assert len(api.get("/api/v1/users").json()) == 50


def test_expiring_token(start: Start) -> None:
    simulator, api = start("expiring-token")
    statuses = [api.get("/api/users/count").status_code for _ in range(21)]
    login = api.post(
        "/api/v1/authentication/login", data={"username": simulator.username, "password": simulator.password}
    )
    api.headers["Authorization"] = f"Bearer {login.json()['access_token']}"

    assert statuses == [200] * 20 + [401]
    assert api.get("/api/users/count").status_code == 200


def test_flaky_recovers_at_once(start: Start) -> None:
    _, api = start("flaky")
    replies = [api.get("/api/users/count") for _ in range(14)]

    assert [number for number, reply in enumerate(replies, 1) if reply.status_code == 503] == [7, 14]
    assert replies[6].headers["content-type"].startswith("text/html")


def test_rate_limit_sends_retry_after(start: Start) -> None:
    _, api = start("rate-limit")
    replies = [api.get("/api/users/count") for _ in range(11)]

    assert [reply.status_code for reply in replies] == [200] * 9 + [429, 200]
    assert replies[9].headers["retry-after"] == "1"


def test_resets_cut_the_connection_and_are_logged(start: Start) -> None:
    simulator, api = start("resets")
    for _ in range(5):
        api.get("/api/users/count")

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        api.get("/api/users/count")

    assert simulator.sisense.log[-1].status == 0
    assert api.get("/api/users/count").status_code == 200


def test_truncated_body_stops_in_the_middle(start: Start) -> None:
    _, api = start("truncated-body")
    page(api, 0)

    with pytest.raises(httpx.RemoteProtocolError):
        page(api, 100)

    assert len(page(api, 100)) == 100


def test_stalls_only_once_and_does_not_hold_up_the_end(start: Start) -> None:
    _, api = start("stalls")
    page(api, 0)
    page(api, 100)

    with pytest.raises(httpx.ReadTimeout):
        api.get("/api/v1/users", timeout=0.2)

    assert len(page(api, 200)) == 100


def test_html_instead_of_users(start: Start) -> None:
    _, api = start("html")
    reply = api.get("/api/v1/users?skip=0&limit=10")

    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert api.get("/api/users/count").json()["count"] == 500


def test_no_count(start: Start) -> None:
    _, api = start("no-count")

    assert api.get("/api/users/count").status_code == 404


def test_roles_under_v1_only(start: Start) -> None:
    _, api = start("roles-under-v1-only")

    assert api.get("/api/roles").status_code == 404
    assert len(api.get("/api/v1/roles").json()) == 12


def test_display_role_names(start: Start) -> None:
    _, api = start("display-role-names")
    names = {role["name"] for role in api.get("/api/roles").json()}

    assert {"Admin", "Viewer", "Designer", "custom_userDesk"} <= names
    assert "consumer" not in names
    assert api.get("/api/users/loggedin").json()["roleName"] == "Admin"


def test_whole_list(start: Start, population: Population) -> None:
    _, api = start("whole-list")

    assert page(api, 0, 10) == page(api, 9_999, 50) == population.users


def test_short_pages_still_add_up(start: Start, population: Population) -> None:
    _, api = start("short-pages")
    sizes = [len(page(api, 0)) for _ in range(3)]

    assert sizes == [100, 100, 60]
    assert every_page(api) == [user["_id"] for user in population.users]


def test_repeats_page_once(start: Start) -> None:
    _, api = start("repeats-page")
    first, second = page(api, 0), page(api, 100)

    assert page(api, 200) == second != first
    assert page(api, 200) != second


def test_drift_ends_so_that_two_sweeps_agree(start: Start, population: Population) -> None:
    _, api = start("drift")
    before = {user["_id"] for user in population.users}

    for _ in range(3):
        every_page(api)

    assert set(every_page(api)) != before
    assert every_page(api) == every_page(api)
    assert len(every_page(api)) == api.get("/api/users/count").json()["count"]


def test_endless_drift_never_settles(start: Start) -> None:
    _, api = start("endless-drift")
    sweeps = [tuple(every_page(api)) for _ in range(6)]

    assert len(set(sweeps)) == 6


def test_strict_query_refuses_unknown_parameters(start: Start) -> None:
    _, api = start("strict-query")

    assert api.get("/api/v1/users", params={"skip": 0, "limit": 5, "sort": "_id"}).status_code == 422
    assert len(page(api, 0, 5)) == 5


def test_non_admin_sees_a_part_without_any_hint(start: Start, population: Population) -> None:
    _, api = start("non-admin")

    assert len(api.get("/api/v1/users").json()) == len(population.users) // 3
    assert api.get("/api/users/loggedin").json()["roleName"] == "consumer"
    assert api.get("/api/users/count").status_code == 403
    assert api.patch(f"/api/v1/users/{population.users[0]['_id']}", json={"active": False}).status_code == 403


def test_json_login(start: Start) -> None:
    simulator, api = start("json-login")
    credentials = {"username": simulator.username, "password": simulator.password}

    assert api.post("/api/v1/authentication/login", data=credentials).status_code == 415
    assert api.post("/api/v1/authentication/login", json=credentials).status_code == 200


@pytest.mark.parametrize(("name", "base"), [("v0.9-only", "/api"), ("v0.9-path", "/api/v0.9")])
def test_legacy_servers_have_only_the_login_of_v1(start: Start, name: str, base: str) -> None:
    simulator, api = start(name)
    credentials = {"username": simulator.username, "password": simulator.password}

    assert len(page(api, 0, 10, f"{base}/users")) == 10
    for path in ("roles", "groups", "users/count", "users/loggedin"):
        assert api.get(f"{base}/{path}").status_code == 200
        assert api.get(f"/api/v1/{path}").status_code == 404
    for login in ("/api/v1/authentication/login", f"{base}/authentication/login"):
        assert api.post(login, data=credentials).status_code == 200


def test_tenant_prefix(start: Start) -> None:
    simulator, api = start("tenant-prefix")

    assert simulator.url.endswith("/acme")
    assert len(page(api, 0, 10)) == 10
    assert api.get(simulator.url.removesuffix("/acme") + "/api/v1/users").status_code == 404


def test_scenarios_add_up(start: Start) -> None:
    _, api = start("capped-limit", "flaky")
    sizes = []
    for _ in range(7):
        reply = api.get("/api/v1/users", params={"skip": 0, "limit": 400})
        sizes.append(len(reply.json()) if reply.status_code == 200 else reply.status_code)

    assert sizes == [100] * 6 + [503]
