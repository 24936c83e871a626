"""Wrong addresses and logins: single sign-on, web pages, servers that have moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import ConfigurationError, LoginError
from tests.cases.case import Case, each
from tests.fakes.http import Reply, as_html, as_json
from tests.fakes.sisense import FakeSisense, accounts
from tests.sources.conftest import BY_TOKEN, Extracting

SSO = "this instance signs in by single sign-on"
IDP = "https://login.example.org/saml?RelayState=x"
UNTYPED_PAGE = Reply(body=b"\n<!DOCTYPE html><title>Sign in</title>", media_type="text/plain")

LOGINS = [
    Case("login", "sent on to another host", SSO, Reply(302, headers={"Location": IDP})),
    Case("login", "sent on to another host, to be asked there again", SSO, Reply(307, headers={"Location": IDP})),
    Case(
        "login", "sent on to a page of the same server", SSO, Reply(302, headers={"Location": "/app/account/login"})
    ),
    Case("login", "sent on to an address that makes no sense", SSO, Reply(302, headers={"Location": "https://[x"})),
    Case("login", "a page with 200", SSO, as_html()),
    Case("login", "a page with 200 that is called text", SSO, UNTYPED_PAGE),
    Case("login", "a page with 401", "a web page", as_html("Sign in", 401)),
    Case("login", "a page with 403", "a web page", as_html("Blocked", 403)),
    Case("login", "a refusal that names SAML", SSO, as_json({"error": {"message": "use SAML"}}, 401)),
    Case("login", "a failure that names SSO", SSO, as_json({"success": False, "message": "SSO only"})),
]


@each(LOGINS)
def test_a_false_login_names_the_cause_and_gets_the_password_once(extracting: Extracting, case: Case) -> None:
    with FakeSisense(accounts(3), fault=lambda r, nth: case.content if r in {"login", "nothing"} else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, LoginError)
    assert case.outcome in done.error.message
    assert "use an API token: set ACCESS_REVIEW_PROD_TOKEN" in done.error.hint
    assert "correct the user name or the password" not in done.error.hint
    assert sum(request.method == "POST" for request in fake.server.requests) == 1


def test_a_wrong_password_is_named_as_such(extracting: Extracting) -> None:
    wrong = as_json({"error": {"message": "Invalid credentials"}}, 401)
    with FakeSisense(accounts(3), fault=lambda r, nth: wrong if r == "login" else None) as fake:
        done = extracting(fake)

    assert "correct the user name or the password" in str(done.error and done.error.hint)
    assert "single sign-on" not in str(done.error)


def test_a_server_that_requires_https_is_named(extracting: Extracting) -> None:
    with FakeSisense(accounts(3)) as fake:
        safe = fake.url.replace("http:", "https:")
        fake.fault = lambda r, nth: Reply(301, headers={"Location": f"{safe}/x"})
        done = extracting(fake)

    assert isinstance(done.error, LoginError)
    assert SSO not in done.error.message
    assert safe in done.error.hint
    assert fake.seen["login"] == 1


@pytest.mark.parametrize("page", [as_html(), Reply(302, headers={"Location": IDP})], ids=["page", "redirect"])
def test_a_gateway_in_front_of_the_api_is_named(extracting: Extracting, page: Reply) -> None:
    with FakeSisense(accounts(3), fault=lambda r, nth: page) as fake:
        done = extracting(fake, BY_TOKEN, max_attempts=2)

    assert done.error is not None
    assert "redirects the request" in done.error.message or "the answer is a web page" in done.error.message
    assert "sign" in done.error.hint or "login page" in done.error.hint


ADDRESSES = [
    Case("url", "the API", "/api/v1", "https://bi.example.com/api/v1"),
    Case("url", "the API with a slash", "/api/v1/", "https://bi.example.com/api/v1/"),
    Case("url", "the older API", "/api/v0.9", "https://bi.example.com/api/v0.9"),
    Case("url", "the API without a version", "/api", "https://bi.example.com/api"),
    Case("url", "an endpoint", "/api/v1/users", "https://bi.example.com/api/v1/users"),
    Case(
        "url",
        "an endpoint with its question",
        "/api/v1/users?limit=50",
        "https://bi.example.com/api/v1/users?limit=50",
    ),
    Case("url", "the login", "/api/v1/authentication/login", "https://bi.example.com/api/v1/authentication/login"),
    Case("url", "the start page", "/app/main", "https://bi.example.com/app/main"),
    Case("url", "a dashboard", "/app/main#/dashboards/5f", "https://bi.example.com/app/main#/dashboards/5f"),
    Case("url", "the login page", "/app/account/login?src=x", "https://bi.example.com/app/account/login?src=x"),
    Case("url", "upper case", "/API/V1", "https://bi.example.com/API/V1"),
]


@each(ADDRESSES)
def test_a_wrong_kind_of_address_is_named_with_the_right_one(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{case.content}"\n')

    with pytest.raises(ConfigurationError) as caught:
        settings.load_settings(path)

    assert f"'url' ends in {case.outcome}, which" in caught.value.message
    assert caught.value.hint == 'write it without that: url = "https://bi.example.com"'


@each(
    [
        Case("url", "a tenant", "taken", "https://bi.example.com/tenant"),
        Case("url", "a tenant called like the API", "taken", "https://bi.example.com/apiary"),
        Case("url", "a folder of a proxy", "taken", "https://bi.example.com/app"),
        Case("url", "a host called like the API", "taken", "https://api.example.com"),
        Case("url", "a port", "taken", "http://bi.example.com:30845/"),
    ]
)
def test_any_other_address_is_accepted(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{case.content}"\n')

    [source] = settings.load_settings(path).sources

    assert source.url == case.content.rstrip("/")
