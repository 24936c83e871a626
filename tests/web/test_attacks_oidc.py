"""Signing in at an identity provider through the page: good ways, and forgeries that are refused and logged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.settings import OidcSettings, WebSettings
from pipeline.web.entrance import SECRET
from tests.fakes.http import Reply
from tests.fakes.identity_provider import CLIENT_ID, Answer, ForgingProvider
from tests.web.attacked import OWNER, REVIEWER, AttackedPage
from tests.web.forgeries import FORGERIES
from tests.web.provider import ProviderElsewhere

CANARY = "canary-client-secret"


def settings(issuer: str) -> WebSettings:
    return WebSettings(oidc=OidcSettings(issuer=issuer, client_id=CLIENT_ID), owners=(OWNER,))


@pytest.fixture(scope="module")
def forger() -> Iterator[ForgingProvider]:
    with ForgingProvider(CANARY) as provider:
        yield provider


@pytest.fixture(scope="module")
def page(forger: ForgingProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedPage]:
    folder = tmp_path_factory.mktemp("page")
    with AttackedPage(folder, settings(forger.issuer), environment={SECRET: CANARY}) as page:
        yield page


def begun(page: AttackedPage) -> tuple[httpx.Client, str]:
    """Return a browser that the page has sent to the provider, and the address it was sent to."""
    client = page.client()
    assert 'href="/sign-in/openid"' in client.get("/sign-in").text
    answer = client.get("/sign-in/openid")
    assert "HttpOnly; SameSite=Lax" in answer.headers["Set-Cookie"]
    return client, answer.headers["Location"]


def come_back(page: AttackedPage) -> tuple[httpx.Client, httpx.Response]:
    """Sign in at a provider that asks nothing; return the browser, and the page's answer to its return."""
    client, provider = begun(page)
    return client, client.get(httpx.get(provider).headers["Location"])


def test_a_provider_written_elsewhere_signs_reviewers_in_and_refuses_others(tmp_path: Path) -> None:
    stranger = {"sub": "stranger", "email": "stranger@example.com", "email_verified": True}
    with (
        ProviderElsewhere(stranger) as provider,
        AttackedPage(tmp_path, settings(provider.issuer), environment={SECRET: CANARY}) as page,
    ):
        for user, status in (("ann", 303), ("unverified", 403), ("stranger", 403)):
            client, address = begun(page)
            answer = client.get(provider.sign_in(address, user).headers["Location"])
            assert answer.status_code == status
            assert (client.get("/").status_code == 200) == (status == 303)
        assert page.refusals() == ["oidc_email", "unknown_person"]
        assert "stranger@example.com" in page.store.refusals()[0].detail
        assert page.contents()["decisions"] == []


def test_how_a_reviewer_signed_in_is_recorded(page: AttackedPage, forger: ForgingProvider) -> None:
    forger.answer = Answer(email=REVIEWER.upper())
    client, answer = come_back(page)
    assert answer.headers["Location"] == "/"
    name = page.origin.cookie_name("review")
    visitor = page.store.session(client.cookies[name], page.now)
    assert visitor is not None
    assert (visitor.email, visitor.method, visitor.is_owner) == (REVIEWER, "oidc", False)
    assert page.origin.cookie_name("sign-in") not in client.cookies


def test_an_owner_is_known_by_the_configuration(page: AttackedPage, forger: ForgingProvider) -> None:
    forger.answer = Answer(email=OWNER)
    client, _ = come_back(page)
    assert client.get("/campaign").status_code == 200


#: Those of a discovery document are for test_oidc: the page reads it once an hour.
ANSWERS = {name: forgery for name, forgery in FORGERIES.items() if not forgery[0].metadata}


@pytest.mark.parametrize(("answer", "kind"), ANSWERS.values(), ids=ANSWERS)
def test_a_forged_sign_in(page: AttackedPage, forger: ForgingProvider, answer: Answer, kind: str) -> None:
    forger.answer = answer
    before, logged = page.contents(), page.refusals()
    client, refused = come_back(page)
    assert refused.status_code == 403
    assert "Location" not in refused.headers
    assert page.origin.cookie_name("review") not in client.cookies
    assert client.get("/").headers["Location"] == "/sign-in"
    assert page.contents() == before
    assert page.refusals() == [*logged, kind]


def test_a_replayed_answer(page: AttackedPage, forger: ForgingProvider) -> None:
    forger.answer = Answer(email=REVIEWER)
    client, provider = begun(page)
    name = page.origin.cookie_name("sign-in")
    cookie = client.cookies[name]
    back = httpx.get(provider).headers["Location"]
    assert client.get(back).status_code == 303

    logged = page.refusals()
    for cookies in ({name: cookie}, {}, {name: "another"}):  # the same browser, another, and one that invents
        answer = httpx.get(back, cookies=cookies)
        assert (answer.status_code, page.origin.cookie_name("review") in answer.cookies) == (403, False)
    assert page.refusals() == [*logged, *["oidc_state"] * 3]


def test_an_answer_is_for_the_browser_that_asked(page: AttackedPage, forger: ForgingProvider) -> None:
    """Login CSRF: the victim's browser is led to the end of the attacker's sign-in."""
    forger.answer = Answer(email=REVIEWER)
    _, provider = begun(page)
    victim, _ = begun(page)
    assert victim.get(httpx.get(provider).headers["Location"]).status_code == 403


def test_a_provider_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    with ForgingProvider() as gone:
        pass
    with AttackedPage(tmp_path, settings(gone.issuer)) as page:
        answer = page.client().get("/sign-in/openid")
        assert answer.status_code == 502
        assert "does not answer" in answer.text
        assert "use the link in the mail" in answer.text
        assert page.refusals() == ["oidc_unreachable"]


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    with AttackedPage(tmp_path) as page:
        assert "/sign-in/openid" not in page.client().get("/sign-in").text
        assert page.client().get("/sign-in/openid").status_code == 404
        assert page.client().get("/sign-in/openid/callback?code=a&state=b").status_code == 404


def test_no_secret_of_a_sign_in_is_written(
    forger: ForgingProvider, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with AttackedPage(tmp_path, settings(forger.issuer), environment={SECRET: CANARY}) as page:
        forger.answer = Answer(email=REVIEWER)
        client, provider = begun(page)
        secrets = {CANARY, *client.cookies.values(), *httpx.URL(provider).params.get_list("state")}
        secrets |= set(httpx.URL(provider).params.get_list("nonce"))
        client.get(httpx.get(provider).headers["Location"])
        secrets |= set(client.cookies.values())
        forger.answer = Answer(token=Reply(400, f'{{"error": "{CANARY}"}}'.encode()))
        come_back(page)
        assert any(CANARY in request.headers.get("authorization", "") or request.body for request in forger.requests)
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    out = "".join(capfd.readouterr())
    assert not [secret for secret in secrets if secret.encode() in written or secret in out]
