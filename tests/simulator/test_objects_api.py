"""The endpoints of dashboards, models, row rules and settings answer in the documented shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pipeline.simulator.objects import SETTINGS_SECRET, Objects, SimulatedModel
from pipeline.simulator.population import Population
from pipeline.simulator.server import Simulator

Start = Callable[..., tuple[Simulator, httpx.Client]]
ADMIN = "/api/v1/dashboards/admin"
PATHS = [
    ADMIN,
    "/api/v1/dashboards/x/shares",
    "/api/shares/dashboard/x",
    "/api/v1/folders",
    "/api/v1/elasticubes/getElasticubes",
    "/api/v1/elasticubes/live",
    "/api/v1/elasticubes/live/x/datasecurity",
    "/api/elasticubes/servers",
    "/api/elasticubes/servers/localhost",
    "/api/elasticubes/localhost/x/permissions",
    "/api/elasticubes/localhost/x/datasecurity",
    "/api/v1/account/get_license_info",
    "/api/v1/settings/sso",
    "/api/v1/settings/login_lockout",
    "/api/v1/tenants",
    "/api/v1/report_manager/reports",
    "/api/v1/report_manager/reports/x",
]


@pytest.fixture
def objects(population: Population) -> Objects:
    return population.objects


def extract(objects: Objects) -> SimulatedModel:
    return next(model for model in objects.models if not model.is_live and model.rules)


def live(objects: Objects) -> SimulatedModel:
    return next(model for model in objects.models if model.is_live and model.rules)


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    reply = api.get(path, params=query)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("application/json")
    return reply.json()


def become(simulator: Simulator, role: str) -> None:
    """Give the caller another role."""
    store = simulator.sisense.store
    role_id = next(role_id for role_id, each in store.roles.items() if each["name"] == role)
    store.by_id[store.caller_id] = {**store.by_id[store.caller_id], "roleId": role_id}


# access ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_every_endpoint_needs_a_token(shared: Simulator, path: str) -> None:
    assert httpx.get(shared.url + path).status_code == 401


def test_a_viewer_is_refused_all_but_folders_and_a_data_admin_reads_models(start: Start) -> None:
    simulator, api = start()

    become(simulator, "consumer")
    assert {path for path in PATHS if api.get(path).status_code != 403} == {"/api/v1/folders"}
    become(simulator, "dataAdmin")
    assert {path for path in PATHS if api.get(path).status_code != 403} == {
        path for path in PATHS if "elasticubes" in path or "folders" in path
    }


def test_nothing_can_be_changed(api: httpx.Client, objects: Objects) -> None:
    for path in (ADMIN, f"/api/shares/dashboard/{objects.dashboards[0].oid}", "/api/v1/settings/sso"):
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            assert api.request(method, path, json={}).status_code == 404


@pytest.mark.parametrize("path", [path for path in PATHS if "x" in path.split("/")])
def test_an_unknown_name_is_404(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 404


# dashboards --------------------------------------------------------------------------------------------------------


def test_pages_of_owners_dashboards_have_every_dashboard_once(api: httpx.Client, objects: Objects) -> None:
    query = {"dashboardType": "owner", "sort": "oid", "limit": 25}
    rows = [row for skip in (0, 25, 50, 75) for row in get(api, ADMIN, skip=skip, **query)]

    assert [row["oid"] for row in rows] == sorted(dashboard.oid for dashboard in objects.dashboards)
    assert {row["instanceType"] for row in rows} == {"owner"}
    for row in rows:
        dashboard = objects.dashboards_by_id[row["oid"]]
        assert (row["title"], row["owner"], row["parentFolder"]) == (
            dashboard.title,
            dashboard.owner,
            dashboard.folder,
        )
        assert "isPublic" not in row


def test_without_a_type_each_recipient_has_a_copy(api: httpx.Client, objects: Objects) -> None:
    rows = get(api, ADMIN)
    shared = next(each for each in objects.dashboards if sum(s["type"] == "user" for s in each.shares) > 1)
    copies = [row for row in rows if row["oid"] == shared.oid]

    assert len({row["_id"] for row in rows}) == len(rows) > len(objects.dashboards)
    assert {row["oid"] for row in rows} == set(objects.dashboards_by_id)
    assert {share["shareId"] for share in shared.shares if share["type"] == "user"} <= {
        row["userId"] for row in copies
    }
    assert [row["instanceType"] for row in copies].count("owner") == 1


def test_copies_can_be_asked_for_alone(api: httpx.Client) -> None:
    assert {row["instanceType"] for row in get(api, ADMIN, dashboardType="user")} == {"user"}
    assert get(api, ADMIN, dashboardType="proxy") == []


def test_the_owner_comes_as_an_object_on_request(api: httpx.Client, population: Population) -> None:
    rows = get(api, ADMIN, dashboardType="owner", ownerInfo="true")
    known = {user["_id"]: user["email"] for user in population.users}

    assert {row["owner"].get("email") for row in rows} == {known.get(row["owner"]["_id"]) for row in rows}


def test_the_owner_s_own_share_has_no_rule(api: httpx.Client) -> None:
    for row in get(api, ADMIN, dashboardType="owner"):
        rules = {share["shareId"]: share.get("rule", "missing") for share in row["shares"]}
        assert rules.pop(row["owner"], "missing") == "missing"
        assert set(rules.values()) <= {"view", "edit"}


def test_fields_keep_the_id_and_unknown_sort_keys_are_422(api: httpx.Client) -> None:
    [row] = get(api, ADMIN, dashboardType="owner", fields="title,shares", limit=1)

    assert set(row) == {"oid", "title", "shares"}
    assert api.get(ADMIN, params={"sort": "shoe"}).status_code == 422
    assert api.get(ADMIN, params={"dashboardType": "shoe"}).status_code == 422
    assert api.get(ADMIN, params={"limit": "many"}).status_code == 422


def test_only_its_own_shares_tell_what_is_public_and_who_was_invited(api: httpx.Client, objects: Objects) -> None:
    answers = {each.oid: get(api, f"/api/shares/dashboard/{each.oid}") for each in objects.dashboards}

    assert {oid for oid, each in answers.items() if each["isPublic"]} == {
        each.oid for each in objects.dashboards if each.is_public
    }
    assert {new["email"] for each in answers.values() for new in each["sharesToNew"]} == {
        "auditor@partner.example.net",
        "joiner@example.com",
    }
    for row in get(api, ADMIN, dashboardType="owner"):
        assert answers[row["oid"]]["sharesTo"] == row["shares"]
    assert get(api, f"/api/v1/dashboards/{row['oid']}/shares", adminAccess="true") == row["shares"]


def test_folders_are_paged(api: httpx.Client, objects: Objects) -> None:
    assert get(api, "/api/v1/folders") == list(objects.folders)
    assert get(api, "/api/v1/folders", skip=9, limit=5, fields="name") == [
        {"oid": folder["oid"], "name": folder["name"]} for folder in objects.folders[9:14]
    ]


# models ------------------------------------------------------------------------------------------------------------


def test_extract_models_are_paged_by_server_and_show_permissions_on_request(
    api: httpx.Client, objects: Objects
) -> None:
    [server] = get(api, "/api/elasticubes/servers")
    assert server["address"] == "localhost"
    path = f"/api/elasticubes/servers/{server['address'].upper()}"
    pages = [get(api, path, withPermissions="true", offset=offset, count=9) for offset in (0, 9, 18)]
    cubes = {cube["_id"]: cube for page in pages for cube in page}

    assert set(cubes) == {model.model_id for model in objects.models if not model.is_live}
    for cube_id, cube in cubes.items():
        model = objects.models_by_id[cube_id]
        assert [share["permission"] for share in cube["shares"]] == [share["permission"] for share in model.shares]
        for share in cube["shares"]:
            assert share["belongsToEveryoneGroup"] is (share["partyId"] == objects.everyone_id)
    assert not any("shares" in cube for cube in get(api, path))


def test_one_extract_model_tells_its_permissions_and_row_rules(api: httpx.Client, objects: Objects) -> None:
    model = extract(objects)
    base = f"/api/elasticubes/localhost/{quote(model.title, safe='')}"

    permissions = get(api, f"{base}/permissions")
    rules = get(api, f"{base}/datasecurity")

    assert {share["party"] for share in permissions["shares"]} == {share["partyId"] for share in model.shares}
    assert [rule["_id"] for rule in rules] == [rule["_id"] for rule in model.rules]
    assert {(rule["live"], rule["fullname"]) for rule in rules} == {(False, f"localhost/{model.title}")}
    assert {share["type"] for rule in rules for share in rule["shares"]} <= {"user", "group", "default"}


def test_live_models_are_one_list_with_their_creators(api: httpx.Client, objects: Objects) -> None:
    rows = get(api, "/api/v1/elasticubes/live")
    model = live(objects)
    rules = get(api, f"/api/v1/elasticubes/live/{quote(model.title, safe='')}/datasecurity")

    assert {row["oid"]: row["creator"] for row in rows} == {
        each.model_id: each.creator for each in objects.models if each.is_live
    }
    assert {rule["fullname"] for rule in rules} == {f"live:{model.title}"}
    assert not any("belongsToEveryoneGroup" in share for row in rows for share in row["shares"])


# seats, settings, reports ------------------------------------------------------------------------------------------


def test_seats_count_active_and_pending_accounts_by_class(api: httpx.Client, population: Population) -> None:
    seats = get(api, "/api/v1/account/get_license_info")
    holders = [user for user in population.users if user.get("active") is True or "pendingExpiration" in user]

    used = {name: seats[f"inUse{name}"] for name in ("Admins", "Designers", "Viewers")}
    assert sum(used.values()) == len(holders)
    assert all(0 < used[name] < seats[f"max{name}"] for name in used)
    assert (seats["expirationDate"][:4], seats["trial"]) == ("2026", False)


def test_settings_hold_canaries(api: httpx.Client) -> None:
    sso = get(api, "/api/v1/settings/sso")

    assert (sso["type"], sso["userCreationDisabled"], sso["lowSecurityJwtSso"]) == ("saml", False, True)
    assert sso["sharedSecret"].startswith(SETTINGS_SECRET)
    assert SETTINGS_SECRET in sso["certificate"]
    assert get(api, "/api/v1/settings/login_lockout")["enabled"] is False
    for name in ("security", "api"):
        assert SETTINGS_SECRET in api.get(f"/api/v1/settings/{name}").text


def test_reports_are_paged_and_name_recipients_on_request(api: httpx.Client, objects: Objects) -> None:
    path = "/api/v1/report_manager/reports"
    first, last = (get(api, path, page=page, limit=2) for page in (1, 2))
    listed = [*first["data"], *last["data"]]

    assert (first["pagination"]["isLastPage"], last["pagination"]["isLastPage"]) == (False, True)
    assert [row["_id"] for row in listed] == [row["_id"] for row in objects.reports]
    assert not any("email" in recipient for row in listed for recipient in row["recipients"])
    full = [get(api, f"{path}/{row['_id']}", recipientsInfo="true") for row in listed]
    assert full == list(objects.reports)
    assert api.get(path, params={"page": 0}).status_code == 422


def test_all_accounts_belong_to_the_main_tenant(api: httpx.Client, population: Population) -> None:
    [tenant] = get(api, "/api/v1/tenants")

    assert tenant["name"] == "system"
    assert {user["tenantId"] for user in population.users} == {tenant["_id"]}
