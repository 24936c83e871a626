"""Each scenario of dashboards, models and settings does what its summary says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pipeline.simulator.population import Population
from pipeline.simulator.server import Simulator

Start = Callable[..., tuple[Simulator, httpx.Client]]
ADMIN = "/api/v1/dashboards/admin"
CUBES = "/api/elasticubes/servers/localhost"
SEATS = "/api/v1/account/get_license_info"


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    reply = api.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def status(api: httpx.Client, path: str, **query: Any) -> int:
    return api.get(path, params=query).status_code


def owned(api: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    return list(get(api, ADMIN, dashboardType="owner", **query))


def shares_path(population: Population) -> str:
    return f"/api/shares/dashboard/{population.objects.dashboards[0].oid}"


@pytest.mark.parametrize(("name", "code"), [("no-objects", 404), ("objects-refused", 403)])
def test_all_objects_are_missing_or_refused_and_users_are_not(start: Start, name: str, code: int) -> None:
    _, api = start(name)
    paths = (
        ADMIN, CUBES, "/api/elasticubes/servers", "/api/v1/elasticubes/live", "/api/v1/folders", SEATS,
        "/api/v1/settings/sso", "/api/v1/settings/login_lockout", "/api/v1/report_manager/reports",
        "/api/v1/tenants", "/api/shares/dashboard/x", "/api/elasticubes/localhost/a%2Fb/datasecurity",
    )  # fmt: skip

    assert {path: status(api, path) for path in paths} == dict.fromkeys(paths, code)
    assert status(api, "/api/v1/users", limit=1) == status(api, "/api/v1/groups") == 200


def test_seats_and_row_rules_are_refused_alone(start: Start, population: Population) -> None:
    model = next(model for model in population.objects.models if not model.is_live)
    rules = f"/api/elasticubes/localhost/{quote(model.title)}/datasecurity"
    _, seats = start("seats-refused")
    _, row_rules = start("row-rules-refused")

    assert (status(seats, SEATS), status(seats, rules)) == (403, 200)
    assert (status(row_rules, SEATS), status(row_rules, rules)) == (200, 403)
    assert status(seats, ADMIN) == status(row_rules, ADMIN) == 200


def test_shares_are_missing_from_the_list(start: Start, population: Population) -> None:
    _, never = start("no-shares")
    _, with_fields = start("fields-drop-shares")

    assert not any("shares" in row for row in owned(never))
    assert not any("shares" in row for row in owned(never, fields="oid,shares"))
    assert all("shares" in row for row in owned(with_fields))
    assert not any("shares" in row for row in owned(with_fields, fields="oid,shares"))
    assert get(never, shares_path(population))["sharesTo"]


def test_strict_objects_refuse_fields_and_admin_access(start: Start, population: Population) -> None:
    _, api = start("strict-objects")

    assert status(api, ADMIN, dashboardType="owner", sort="oid", skip=0, limit=10) == 200
    assert status(api, ADMIN, dashboardType="owner", fields="oid") == 422
    assert status(api, "/api/v1/folders", fields="oid") == 422
    assert status(api, shares_path(population)) == 200
    assert status(api, shares_path(population), adminAccess="true") == 422


def test_admin_access_is_needed(start: Start, population: Population) -> None:
    _, api = start("admin-access")

    assert status(api, shares_path(population)) == 403
    assert status(api, shares_path(population), adminAccess="true") == 200


def test_dashboard_copies_come_despite_the_type(start: Start, population: Population) -> None:
    _, api = start("dashboard-copies")
    rows = owned(api)

    assert len(rows) > len(population.objects.dashboards)
    assert {row["oid"] for row in rows} == set(population.objects.dashboards_by_id)


def test_owner_with_rule(start: Start, population: Population) -> None:
    _, api = start("owner-with-rule")
    [own, *others] = get(api, shares_path(population))["sharesTo"]

    assert (own["shareId"], own["rule"]) == (population.objects.dashboards[0].owner, "edit")
    assert {share["rule"] for row in owned(api) for share in row["shares"]} == {"view", "edit"}
    assert tuple(others) == population.objects.dashboards[0].shares


def test_capped_objects(start: Start) -> None:
    _, api = start("capped-objects")

    assert len(owned(api, skip=0, limit=500)) == 20
    assert len(get(api, CUBES, offset=0, count=10)) == 10


def test_whole_objects(start: Start, population: Population) -> None:
    _, api = start("whole-objects")

    assert len(owned(api, skip=40, limit=5)) == len(population.objects.dashboards)
    assert len(get(api, "/api/v1/folders", skip=3, limit=1)) == len(population.objects.folders)
    assert get(api, CUBES, offset=5, count=1) == get(api, CUBES)


def test_dashboard_drift_loses_the_dashboard_at_the_edge_of_a_page(start: Start, population: Population) -> None:
    _, api = start("dashboard-drift")
    pages = [owned(api, sort="oid", skip=skip, limit=20) for skip in (0, 20, 40, 60)]
    read = [row["oid"] for page in pages for row in page]
    ids = sorted(population.objects.dashboards_by_id)

    assert read == [oid for oid in ids if oid != ids[20]]
    assert [row["oid"] for row in owned(api, sort="oid")] == ids[1:]


def test_odd_row_rules(start: Start) -> None:
    simulator, api = start("odd-row-rules")
    objects = simulator.sisense.store.objects
    firsts = [
        get(api, f"/api/elasticubes/localhost/{quote(model.title)}/datasecurity")[0]
        for model in objects.models
        if model.rules and not model.is_live
    ]

    assert {"yes"} <= {str(rule["allMembers"]) for rule in firsts}
    assert any(rule["members"] is None for rule in firsts)
    assert any(rule["exclusionary"] == 1 and rule["exclusionary"] is not True for rule in firsts)


def test_models_fail_midway(start: Start, population: Population) -> None:
    _, api = start("models-fail-midway")
    cubes = get(api, CUBES, withPermissions="true", offset=0, count=500)
    total = sum(1 for model in population.objects.models if not model.is_live)

    assert 0 < len(cubes) < total
    assert status(api, CUBES, withPermissions="true", offset=len(cubes), count=500) == 500
    assert status(api, "/api/v1/elasticubes/live") == 200


def test_dangling_parties(start: Start, population: Population) -> None:
    _, api = start("dangling-parties")
    known = {user["_id"] for user in population.users} | set(population.members)
    plain = sum(share["shareId"] not in known for each in population.objects.dashboards for share in each.all_shares)

    shares = [share for row in owned(api) for share in row["shares"]]
    permissions = [share for cube in get(api, CUBES, withPermissions="true") for share in cube["shares"]]
    title = next(m.title for m in population.objects.models if not m.is_live and len(m.rules) > 1)
    rules = get(api, f"/api/elasticubes/localhost/{quote(title)}/datasecurity")

    assert sum(share["shareId"] not in known for share in shares) > plain + 10
    assert {share["type"] for share in permissions if share["partyId"] not in known} == {"user", "group"}
    named = {share["partyId"] for rule in rules for share in rule["shares"] if share["type"] != "default"}
    assert named - known


def test_odd_titles_have_to_be_encoded(start: Start) -> None:
    simulator, api = start("odd-titles")
    objects = simulator.sisense.store.objects
    titles = [model.title for model in objects.models if not model.is_live]

    assert {"Sales/EMEA", "Margin 100%", "Plan %2F 2026"} <= {model.title for model in objects.models}
    for title in titles:
        answer = get(api, f"/api/elasticubes/localhost/{quote(title, safe='')}/permissions")
        assert answer["title"] == title
    slashed = next(title for title in titles if title.startswith("Sales/EMEA"))
    assert status(api, f"/api/elasticubes/localhost/{quote(slashed)}/permissions") == 404
    assert {row["datasource"]["title"] for row in owned(api)} <= {model.title for model in objects.models}


def test_live_only(start: Start, population: Population) -> None:
    _, api = start("live-only")

    assert get(api, "/api/elasticubes/servers") == []
    assert status(api, CUBES) == 404
    assert len(get(api, "/api/v1/elasticubes/live")) == len(population.objects.models)
    assert all(row["datasource"]["live"] for row in owned(api))


def test_windows_servers(start: Start, population: Population) -> None:
    _, api = start("windows-servers")
    servers = [server["address"] for server in get(api, "/api/elasticubes/servers")]
    cubes = [
        (server, cube["title"], cube["dbFarmDirectory"])
        for server in servers
        for cube in get(api, f"/api/elasticubes/servers/{server}")
    ]

    assert servers == ["LocalHost", "BI-CUBES-02"]
    assert len(cubes) == sum(1 for model in population.objects.models if not model.is_live)
    assert Counter(title for _, title, _ in cubes).most_common(1)[0][1] == 2
    assert all(folder.startswith("C:\\") for _, _, folder in cubes)
    assert {row["datasource"].get("address", "live") for row in owned(api)} == {*servers, "live"}


def test_the_faults_of_transport_concern_objects_too(start: Start) -> None:
    _, api = start("flaky")

    assert [status(api, ADMIN, limit=1) for _ in range(8)] == [200] * 6 + [503, 200]


@pytest.mark.parametrize("base", ["/api", "/api/v0.9"])
def test_legacy_servers_have_extract_models_and_shares_only(start: Start, population: Population, base: str) -> None:
    _, api = start("v0.9-only" if base == "/api" else "v0.9-path")
    oid = population.objects.dashboards[0].oid

    assert status(api, ADMIN) == status(api, "/api/v1/elasticubes/live") == 404
    assert status(api, f"{base}/elasticubes/servers/localhost") == 200
    assert status(api, f"{base}/shares/dashboard/{oid}") == 200


def test_a_tenant_prefix_is_no_part_of_a_title(start: Start, population: Population) -> None:
    _, api = start("tenant-prefix", "odd-titles")

    assert status(api, f"/api/elasticubes/localhost/{quote('Sales/EMEA', safe='')}/permissions") == 200
    assert status(api, f"/api/shares/dashboard/{population.objects.dashboards[0].oid}") == 200
