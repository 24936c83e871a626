"""The login: one for all requests, no refused password again, no credential to another host."""

from __future__ import annotations

import pytest

from pipeline.errors import LoginError
from pipeline.settings import Credentials, Secret
from tests.fakes.http import HttpServer, Reply, as_html, as_json
from tests.fakes.sisense import API_TOKEN, PASSWORD, USERNAME, FakeSisense, accounts
from tests.sources.conftest import BY_TOKEN, Extracting

FORM, JSON = ("form", USERNAME, PASSWORD), ("json", USERNAME, PASSWORD)


def test_one_form_login_for_the_whole_extract(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        done = extracting(fake)

    assert fake.logins == [FORM]
    assert done.outcome.settings["login"] == "form"


def test_a_server_that_requires_json_gets_json_and_the_style_is_remembered(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), login_style="json", token_uses=6) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert fake.logins[:2] == [FORM, JSON]
    assert set(fake.logins[2:]) == {JSON}
    assert done.outcome.settings["login"] == "json"


@pytest.mark.parametrize("path", ["/api/authentication/login", "/api/v0.9/authentication/login"])
def test_the_login_is_found_at_each_known_address(extracting: Extracting, path: str) -> None:
    with FakeSisense(accounts(3), login_path=path) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert fake.logins == [FORM]
    assert done.outcome.settings["login_path"] == path


@pytest.mark.parametrize(
    "refusal",
    [
        None,  # 200 with success: false
        as_json({"error": {"message": "no"}}, 401),
        as_json({"error": {"message": "no"}}, 403),
        as_json({"message": "no token here"}),
    ],
)
def test_a_refused_password_is_never_retried(extracting: Extracting, refusal: Reply | None) -> None:
    wrong = Credentials(USERNAME, Secret("canary-wrong-password"), None)
    with FakeSisense(accounts(3), fault=lambda resource, nth: refusal if resource == "login" else None) as fake:
        done = extracting(fake, wrong)

    assert isinstance(done.error, LoginError)
    assert fake.seen["login"] == 1
    assert done.outcome.error == str(done.error)
    assert "canary" not in str(done.error) + done.error.hint


def test_a_password_refused_as_a_form_with_400_is_sent_once_more_as_json_and_no_more(extracting: Extracting) -> None:
    refusal = as_json({"message": "bad credentials"}, 400)
    with FakeSisense(accounts(3), fault=lambda resource, nth: refusal if resource == "login" else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, LoginError)
    assert fake.seen["login"] == 2


def test_with_an_api_token_no_password_is_sent(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        done = extracting(fake, BY_TOKEN)

    assert done.failed == set()
    assert fake.seen["login"] == 0
    assert {request.bearer for request in fake.server.requests} == {None, API_TOKEN}
    assert done.outcome.settings["login"] == "token"


def test_a_token_that_is_refused_ends_the_extract_without_a_login(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), refuses_tokens=True) as fake:
        done = extracting(fake, BY_TOKEN)

    assert isinstance(done.error, LoginError)
    assert fake.seen["login"] == 0


def test_requests_with_an_expired_token_share_one_login(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:

        def revoke(nth: int) -> None:
            if nth == 7:  # the first of eight pages that are asked for at once
                fake.tokens.clear()

        fake.before_page = revoke
        done = extracting(fake, concurrency=8, page_size=10)

    assert done.failed == set()
    assert fake.logins == [FORM, FORM]


def test_tokens_that_expire_in_flight_cost_no_attempt(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), token_uses=5) as fake:
        done = extracting(fake, concurrency=8, page_size=10, max_attempts=1)

    assert done.failed == set()
    assert done.ids == fake.ids
    accepted = sum(uses for token, uses in fake.tokens.items() if token != API_TOKEN)
    assert len(fake.logins) <= accepted // 5 + 1


def test_two_new_tokens_refused_in_a_row_end_the_extract(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), refuses_tokens=True) as fake:
        done = extracting(fake)

    assert isinstance(done.error, LoginError)
    assert "its tokens are refused" in done.error.message
    assert fake.logins == [FORM, FORM]


def test_a_run_logs_in_at_most_a_hundred_times(extracting: Extracting) -> None:
    with FakeSisense(accounts(400), token_uses=1) as fake:
        done = extracting(fake, page_size=2, concurrency=1)

    assert isinstance(done.error, LoginError)
    assert len(fake.logins) == 100


def test_an_optional_endpoint_that_refuses_every_token_is_missing_and_not_fatal(extracting: Extracting) -> None:
    refusal = as_json({"message": "not you"}, 401)
    with FakeSisense(accounts(30), fault=lambda r, nth: refusal if r == "users_count" else None) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert "users_count" in done.outcome.missing
    assert len(fake.logins) <= 3


def test_no_token_is_logged_out_or_renewed(extracting: Extracting) -> None:
    with FakeSisense(accounts(60), token_uses=5) as fake:
        extracting(fake)

    asked = {request.path for request in fake.server.requests}
    assert not [path for path in asked if "logout" in path or "renew" in path or "token" in path]
    assert {r.path for r in fake.server.requests if r.method != "GET"} == {"/api/v1/authentication/login"}


@pytest.mark.parametrize("resource", ["status", "login", "users", "roles"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_credential_follows_a_redirect_to_another_host(extracting: Extracting, resource: str, status: int) -> None:
    with (
        HttpServer(lambda request: as_json([])) as elsewhere,
        FakeSisense(accounts(3)) as fake,
    ):
        away = Reply(status, headers={"Location": elsewhere.url.replace("127.0.0.1", "localhost") + "/x"})
        fake.fault = lambda asked, nth: away if asked == resource else None
        done = extracting(fake)

    assert elsewhere.requests == []
    if resource in ("login", "users"):
        assert done.error is not None


def test_a_redirect_within_the_host_is_followed_for_reads(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), prefix="/tenant", count_path="/moved/count") as fake:
        fake.absent = Reply(307, headers={"Location": "/tenant/moved/count"})
        done = extracting(fake)

    assert done.outcome.server_counts["users_after"] == 3


def test_the_password_is_not_sent_to_web_pages_repeatedly(extracting: Extracting) -> None:
    with FakeSisense(accounts(3), fault=lambda r, nth: as_html() if r in ("login", "nothing") else None) as fake:
        done = extracting(fake)

    assert isinstance(done.error, LoginError)
    assert "single sign-on" in done.error.hint
    assert fake.seen["login"] <= 6
