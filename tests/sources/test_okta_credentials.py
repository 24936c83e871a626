"""Credentials for Okta: tokens, OAuth clients, what each may read, and what ``check`` says about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LoginError
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.sources.directories.preflight import preflight
from tests.fakes.http import HttpServer, Reply, Request, as_json
from tests.fakes.okta import API_TOKEN, CLIENT_ID, FakeOkta, make_key, make_okta, make_users
from tests.sources.conftest import Waiting
from tests.sources.directories import Landed, assert_all_of_okta, read, users_page

BY_TOKEN = Credentials(None, None, Secret(API_TOKEN))
PEM, PUBLIC = make_key()
BY_KEY = Credentials(CLIENT_ID, None, None, Secret(PEM))
Reading = Callable[..., Landed]


@pytest.fixture
def okta() -> FakeOkta:
    return make_okta(make_users(230), public_key=PUBLIC)


@pytest.fixture
def reading(okta: FakeOkta, tmp_path: Path) -> Reading:
    def run(credentials: Credentials = BY_TOKEN, **keys: Any) -> Landed:
        return read(okta.answer, tmp_path, credentials, kind="okta", application="0oaapp", **keys)

    return run


def test_a_client_that_must_use_dpop_is_told_where_to_clear_it(tmp_path: Path) -> None:
    refusal = {"error": "invalid_dpop_proof", "error_description": "The DPoP proof JWT header is missing."}

    landed = read(lambda _: as_json(refusal, 400), tmp_path, BY_KEY, kind="okta", client_id=CLIENT_ID)

    assert landed.error is not None
    assert "DPoP" in landed.error.message
    assert "Proof of Possession" in landed.error.hint


def test_an_oauth_client_reads_by_a_signed_assertion_and_leaves_no_token(okta: FakeOkta, reading: Reading) -> None:
    landed = reading(BY_KEY, client_id=CLIENT_ID)

    assert_all_of_okta(okta, landed)
    assert landed.settings["login"] == "private_key_jwt"
    assertion = dict(pair.split("=", 1) for pair in landed.requests[0].body.decode().split("&"))["client_assertion"]
    assert assertion.encode() not in landed.written
    assert not any(token.encode() in landed.written for token in okta.access_tokens)
    assert PEM.splitlines()[1].encode() not in landed.written


def test_a_token_that_expires_in_the_middle_of_the_list_is_renewed_once(okta: FakeOkta, reading: Reading) -> None:
    expired = []

    def expire(request: Request) -> Reply | None:
        if users_page(request) and "after" in request.query and not expired:
            expired.append(request)
            okta.access_tokens.clear()
        return None

    okta.before = expire

    landed = reading(BY_KEY, client_id=CLIENT_ID)

    assert_all_of_okta(okta, landed)
    assert sum(request.path.endswith("/token") for request in landed.requests) == 2


def test_a_token_is_renewed_before_it_expires(okta: FakeOkta, tmp_path: Path) -> None:
    waiting = Waiting()

    def pass_time(request: Request) -> None:
        waiting.now += timedelta(minutes=20)

    okta.before = pass_time  # type: ignore[assignment]

    landed = read(okta.answer, tmp_path, BY_KEY, waiting, kind="okta", application="0oaapp", client_id=CLIENT_ID)

    assert_all_of_okta(okta, landed)
    assert not any(page.status == 401 for page in landed.pages)
    assert sum(request.path.endswith("/token") for request in landed.requests) > 3


def test_tokens_that_are_refused_at_once_end_the_extract(okta: FakeOkta, reading: Reading) -> None:
    okta.after = lambda request, reply: as_json({"errorCode": "E0000011"}, 401)

    landed = reading(BY_KEY, client_id=CLIENT_ID)

    assert isinstance(landed.error, LoginError)
    assert len([request for request in landed.requests if request.path.endswith("/token")]) <= 2


def test_a_refused_api_token_is_sent_once(okta: FakeOkta, reading: Reading) -> None:
    landed = reading(Credentials(None, None, Secret("00wrong-token-canary")))

    assert isinstance(landed.error, LoginError)
    assert len(landed.requests) == 1
    assert landed.completeness == "NOTHING"
    assert b"00wrong" not in landed.written


def test_missing_permissions_cost_only_their_lists_and_are_named(okta: FakeOkta, reading: Reading) -> None:
    okta.scopes = {"okta.users.read"}

    landed = reading(BY_KEY, client_id=CLIENT_ID)

    assert landed.completeness == "FULL", landed.reason
    assert landed.by_id("users").keys() == {user["id"] for user in okta.users}
    assert landed.rows["groups"] == landed.rows["assignments"] == []
    assert "okta.groups.read" in landed.missing["groups"]
    assert "okta.apps.read" in landed.missing["assignments"]
    assert "assignments" not in landed.settings


def test_a_role_that_is_limited_to_groups_makes_the_extract_partial(okta: FakeOkta, reading: Reading) -> None:
    okta.roles = ["USER_ADMIN"]

    assert reading().checks["caller_sees_everyone"] == "FAIL"


def test_an_unknown_role_rests_on_two_readings(okta: FakeOkta, reading: Reading) -> None:
    okta.roles = None

    landed = reading()

    assert landed.completeness == "FULL", landed.reason
    assert landed.checks["caller_sees_everyone"] == "NOT_AVAILABLE"


def checks_of(okta: FakeOkta, credentials: Credentials, **keys: Any) -> dict[str, tuple[str, str]]:
    waiting = Waiting()
    with HttpServer(okta.answer) as http:
        source = SourceSettings(name="idp", kind="okta", url=http.url, **keys)
        found = preflight(source, credentials, clock=waiting.clock, sleep=waiting.sleep)
    return {check.name: (check.result, f"{check.detail} {check.hint}") for check in found}


def test_check_names_the_permissions_that_are_missing(okta: FakeOkta) -> None:
    okta.scopes = {"okta.users.read"}

    found = checks_of(okta, BY_KEY, client_id=CLIENT_ID, application="0oaapp")

    assert {name: result for name, (result, _) in found.items()} == {
        "login": "ok",
        "users": "ok",
        "groups": "warning",
        "assignments": "warning",
    }
    assert "okta.groups.read" in found["groups"][1]
    assert "okta.apps.read" in found["assignments"][1]


def test_check_says_that_a_credential_is_refused_or_an_application_is_not_there(okta: FakeOkta) -> None:
    assert checks_of(okta, Credentials(None, None, Secret("00wrong")))["login"][0] == "failed"
    assert checks_of(okta, BY_TOKEN, application="0oaother")["assignments"][0] == "failed"
    assert checks_of(okta, BY_TOKEN)["assignments"][0] == "warning"
