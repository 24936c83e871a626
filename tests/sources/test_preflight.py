"""The preflight says what is there, what is missing, and what to do."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.sources.sisense.preflight import Preflight, PreflightCheck, preflight
from tests.fakes.http import HttpServer, as_html, as_json
from tests.fakes.odd_objects import OddSisense, windows
from tests.fakes.sisense import PASSWORD, USERNAME, VIEWER_ROLE, FakeSisense, accounts
from tests.sources.conftest import BY_PASSWORD, BY_TOKEN, Waiting


def look(fake: FakeSisense | str, credentials: Credentials = BY_PASSWORD, **settings: Any) -> Preflight:
    url = fake if isinstance(fake, str) else fake.url
    source = SourceSettings(**{"name": "prod", "kind": "sisense", "url": url, "page_size": 50, **settings})
    waiting = Waiting()
    return preflight(source, credentials, clock=waiting.clock, sleep=waiting.sleep)


def found(done: Preflight, name: str) -> PreflightCheck:
    return next(check for check in done.checks if check.name == name)


def test_a_healthy_source_passes_every_check() -> None:
    with FakeSisense(accounts(30), headers={"Date": format_datetime(datetime.now(UTC), usegmt=True)}) as fake:
        done = look(fake)

    assert {check.result for check in done.checks} == {"ok"}
    names = [check.name for check in done.checks]
    assert names[:3] == ["address", "login", "api"]
    assert {"role", "version", "users_count", "roles", "groups", "page_size", "clock"} <= set(names)
    assert found(done, "users_count").detail == "30 accounts"
    assert fake.seen["users"] == 2


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no count": ({"has_count": False}, "users_count", "warning"),
    "no groups": ({"has_groups": False}, "groups", "warning"),
    "no roles": ({"roles_path": "/elsewhere"}, "roles", "warning"),
    "no members": ({"strict": True}, "group_members", "warning"),
    "caller unknown": ({"loggedin": None}, "role", "warning"),
    "a viewer": ({"loggedin": {"_id": "x", "roleId": VIEWER_ROLE, "roleName": "consumer"}}, "role", "failed"),
    "a tenant's admin": ({"loggedin": {"_id": "x", "roleName": "tenantAdmin"}}, "role", "warning"),
    "capped": ({"cap": 10}, "page_size", "warning"),
    "whole list": ({"ignores_limit": True, "ignores_skip": True, "users": accounts(80)}, "page_size", "warning"),
    "clock": ({"headers": {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}}, "clock", "warning"),
    "no users": ({"base": "/nowhere"}, "users", "failed"),
    "login refused": ({"fault": lambda r, nth: as_json({}, 401) if r == "login" else None}, "login", "failed"),
    "users refused": ({"fault": lambda r, nth: as_json({}, 403) if r == "users" else None}, "users", "failed"),
}


@pytest.mark.parametrize(("behaviour", "name", "result"), WRONG.values(), ids=WRONG.keys())
def test_a_fault_is_named_with_what_to_do(behaviour: dict[str, Any], name: str, result: str) -> None:
    with FakeSisense(**{"users": accounts(30), **behaviour}) as fake:
        done = look(fake)

    check = found(done, name)
    assert check.result == result
    assert check.detail
    assert check.hint or name == "page_size"
    assert done.result == result


def test_it_says_which_lists_of_objects_can_be_read() -> None:
    with OddSisense(windows()) as fake:
        done = found(look(fake), "objects")
        insisting = found(look(fake, objects=True), "objects")
    with FakeSisense(accounts(3)) as fake:
        without = look(fake, objects=False)

    assert done.detail == (
        "dashboards, folders, data models, sign-on settings can be read; "
        "not available: seats (refused: 403), mailed reports (not found: 404), tenants (not found: 404)"
    )
    assert (done.result, insisting.result) == ("ok", "warning")
    assert "objects" not in {check.name for check in without.checks}


def test_an_unreachable_host_fails_at_the_address() -> None:
    done = look("http://127.0.0.1:1", max_attempts=1)

    assert [(check.name, check.result) for check in done.checks] == [("address", "failed")]
    assert "(tried 1 time)" in done.checks[0].detail


def test_another_web_server_fails_at_the_login() -> None:
    with HttpServer(lambda request: as_html("Welcome")) as server:
        done = look(server.url, max_attempts=2)

    assert [check.name for check in done.checks if check.result == "failed"] == ["login"]


def test_a_certificate_that_is_not_verified_is_a_warning(certificate: tuple[Path, ssl.SSLContext]) -> None:
    with FakeSisense(accounts(3), tls=certificate[1]) as fake:
        done = look(fake, verify_tls=False)

    assert found(done, "transport").result == "warning"


def test_a_password_over_plain_http_is_a_warning_except_on_loopback() -> None:
    done = look("http://no-such-host.invalid", max_attempts=1)

    assert "plain http" in found(done, "transport").detail


@pytest.mark.parametrize("credentials", [BY_PASSWORD, BY_TOKEN, Credentials(USERNAME, Secret("canary-wrong"), None)])
def test_no_secret_is_printed(credentials: Credentials) -> None:
    with FakeSisense(accounts(3)) as fake:
        done = look(fake, credentials)

    assert "canary" not in repr(done)
    assert PASSWORD not in repr(done)
