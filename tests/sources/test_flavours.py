"""The flavour of the API is found and recorded, and missing endpoints are named."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ContentError, UnreachableError
from tests.fakes.http import as_html, as_json
from tests.fakes.sisense import ADMIN_ROLE, USERNAME, FakeSisense, accounts
from tests.sources.conftest import Extracting

FLAVOURS = {
    "v1": ({}, "v1"),
    "v0.9 at /api": ({"base": "/api", "login_path": "/api/authentication/login"}, "v0.9 at /api"),
    "v0.9 at /api/v0.9": ({"base": "/api/v0.9"}, "v0.9 at /api/v0.9"),
    "roles at v1": ({"roles_path": "/api/v1/roles"}, "v1"),
    "roles at v0.9": ({"base": "/api/v0.9", "roles_path": "/api/v0.9/roles"}, "v0.9 at /api/v0.9"),
    "groups of the other flavour": ({"groups_path": "/api/groups"}, "v1"),
    "tenant prefix": ({"prefix": "/acme"}, "v1"),
    "strict": ({"strict": True}, "v1"),
    "absent is a web page": ({"base": "/api/v0.9", "absent": as_html("Sisense")}, "v0.9 at /api/v0.9"),
    "absent is 405": ({"base": "/api", "absent": as_json({}, 405)}, "v0.9 at /api"),
    "everything, but v1 fails now and then": (
        {"fault": lambda r, nth: as_json({}, 503) if r == "users" and nth % 2 else None},
        "v1",
    ),
    "v1, of which the first answer is a 404": (
        {"fault": lambda r, nth: as_json({}, 404) if (r, nth) == ("users", 1) else None},
        "v1",
    ),
}


@pytest.mark.parametrize(("behaviour", "api"), FLAVOURS.values(), ids=FLAVOURS.keys())
def test_the_flavour_is_found(extracting: Extracting, behaviour: dict[str, Any], api: str) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": []} for i in range(3)]
    with FakeSisense(accounts(120), groups=groups, **behaviour) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert done.outcome.api == api
    assert len(done.rows("roles")) == 2
    assert len(done.rows("groups")) == 3


def test_a_strict_server_is_sent_only_the_keys_it_knows(extracting: Extracting) -> None:
    with FakeSisense(accounts(120), strict=True) as fake:
        done = extracting(fake)

    assert done.outcome.settings["users_query"] == ""
    assert "group_members" in done.outcome.missing
    accepted = [page.url for page in done.pages if page.resource == "users"]
    assert not [url for url in accepted if "sort" in url]


@pytest.mark.parametrize(
    ("behaviour", "missing"),
    [
        ({"has_count": False}, "users_count"),
        ({"has_groups": False}, "groups"),
        ({"loggedin": None}, "loggedin"),
        ({"roles_path": "/elsewhere"}, "roles"),
        ({"fault": lambda r, nth: as_json({}, 404) if r == "status" else None}, "status"),
        ({"fault": lambda r, nth: as_json({}, 500) if r == "status" else None}, "status"),
        ({"fault": lambda r, nth: as_json({}, 500) if r == "loggedin" else None}, "loggedin"),
        ({"fault": lambda r, nth: as_json({}, 503) if r == "users_count" else None}, "users_count"),
        ({"fault": lambda r, nth: as_json({"message": "no"}, 403) if r == "groups" else None}, "groups"),
        ({"fault": lambda r, nth: as_html() if r == "roles" else None}, "roles"),
    ],
)
def test_a_missing_endpoint_is_named_with_what_the_report_loses(
    extracting: Extracting, behaviour: dict[str, Any], missing: str
) -> None:
    with FakeSisense(accounts(30), **behaviour) as fake:
        done = extracting(fake)

    assert list(done.outcome.missing) == [missing]
    assert len(done.outcome.missing[missing]) > 20
    assert done.ids == fake.ids


@pytest.mark.parametrize("resource", ["roles", "groups"])
def test_a_list_of_a_server_in_trouble_does_not_count_as_missing(extracting: Extracting, resource: str) -> None:
    with FakeSisense(accounts(30), fault=lambda r, nth: as_json({}, 503) if r == resource else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, UnreachableError)
    assert done.outcome.missing == {}
    assert done.ids == fake.ids


def test_without_a_list_of_users_the_error_names_the_addresses_tried(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), base="/somewhere") as fake:
        done = extracting(fake)

    assert isinstance(done.error, ContentError)
    assert "/api/v0.9/users" in done.error.where
    assert "tenant prefix" in done.error.hint
    assert done.outcome.error == str(done.error)


def test_a_web_page_instead_of_the_users_is_named(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), fault=lambda r, nth: as_html("Sign in") if r == "users" else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, ContentError)
    assert "web page 'Sign in'" in done.error.message
    assert "/api/v1/users" in done.error.where


def test_only_the_configured_flavour_is_tried(extracting: Extracting) -> None:
    with FakeSisense(accounts(3)) as fake:
        done = extracting(fake, api="v0.9")

    assert isinstance(done.error, ContentError)
    assert fake.seen["users"] == 0


def test_a_caller_who_may_not_list_users_gets_a_clear_error(extracting: Extracting) -> None:
    no = as_json({"error": {"message": "insufficient rights"}}, 403)
    with FakeSisense(accounts(3), fault=lambda r, nth: no if r == "users" else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, ContentError)
    assert "insufficient rights" in done.error.message
    assert "administrator" in done.error.hint


@pytest.mark.parametrize(
    "role",
    [
        {"roleId": ADMIN_ROLE, "roleName": "admin"},
        {"roleId": ADMIN_ROLE, "role": {"_id": ADMIN_ROLE, "name": "admin"}},
        {"role": {"_id": ADMIN_ROLE, "name": "admin"}},
    ],
)
def test_the_caller_and_their_role_are_read(extracting: Extracting, role: dict[str, Any]) -> None:
    with FakeSisense(accounts(3), loggedin={"_id": "me", "userName": USERNAME, **role}) as fake:
        principal = extracting(fake).outcome.principal

    assert (principal.account_id, principal.user_name) == ("me", USERNAME)
    assert (principal.role_id, principal.role_name) == (ADMIN_ROLE, "admin")


def test_version_flavour_and_settings_are_recorded(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), headers={"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}) as fake:
        done = extracting(fake)

    assert done.outcome.version == "L2026.1"
    assert done.outcome.clock_skew_seconds is not None
    assert done.outcome.clock_skew_seconds < -86400
    assert done.outcome.settings["users_path"] == "/api/v1/users"
    assert done.outcome.settings["page_size_asked"] == "50"
