"""Signing in at an OpenID Connect provider: a good one written elsewhere, and one that forges."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from pipeline.clock import utc_now
from pipeline.errors import SourceError, UnreachableError
from pipeline.settings import OidcSettings, Secret
from pipeline.sources.identity_provider import IdentityProvider
from pipeline.web.oidc import OpenIdClient
from pipeline.web.refusal import SignInRefusedError
from tests.fakes.identity_provider import CLIENT_ID, Answer, ForgingProvider
from tests.web.forgeries import FORGERIES
from tests.web.provider import ProviderElsewhere

BACK = "http://127.0.0.1:9/sign-in/openid/callback"


@pytest.fixture(scope="module")
def forger() -> Iterator[ForgingProvider]:
    with ForgingProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProviderElsewhere]:
    with ProviderElsewhere() as provider:
        yield provider


def client(issuer: str, secret: str | None = None, environment: dict[str, str] | None = None) -> OpenIdClient:
    return OpenIdClient(
        OidcSettings(issuer=issuer, client_id=CLIENT_ID),
        Secret(secret) if secret else None,
        BACK,
        IdentityProvider(environment or {}),
    )


def returned(answer: httpx.Response) -> dict[str, str]:
    """Return what the provider sent the browser back with."""
    assert answer.headers["Location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def sign_in(started_by: OpenIdClient, spent: set[str] | None = None) -> str:
    """Sign in at a provider that asks nothing, and return the address it vouches for."""
    started = started_by.start()
    seen = set() if spent is None else spent

    def spend(cookie: str) -> bool:
        is_new = cookie not in seen
        seen.add(cookie)
        return is_new

    return started_by.finish(started.cookie, returned(httpx.get(started.url)), spend)


def test_a_provider_written_elsewhere_signs_a_reviewer_in(elsewhere: ProviderElsewhere) -> None:
    ours = client(elsewhere.issuer, "client-secret")  # it knows no public clients
    started = ours.start()
    answer = returned(elsewhere.sign_in(started.url, "ann"))
    assert ours.finish(started.cookie, answer, lambda cookie: True) == "Ann@Example.com"


def test_a_provider_written_elsewhere_says_that_an_address_is_not_verified(elsewhere: ProviderElsewhere) -> None:
    ours = client(elsewhere.issuer, "client-secret")
    for user in ("unverified", "unsaid@example.com"):
        started = ours.start()
        answer = returned(elsewhere.sign_in(started.url, user))
        with pytest.raises(SignInRefusedError, match=r"has not verified the address un\w+@example\.com"):
            ours.finish(started.cookie, answer, lambda cookie: True)


def test_somebody_who_declines_is_not_signed_in(elsewhere: ProviderElsewhere) -> None:
    ours = client(elsewhere.issuer)
    started = ours.start()
    answer = returned(elsewhere.decline(started.url))
    with pytest.raises(SignInRefusedError, match=r"access_denied|oidc_state"):
        ours.finish(started.cookie, answer, lambda cookie: True)


@pytest.mark.parametrize("secret", [None, "s3cret"])
def test_the_code_is_exchanged_with_its_verifier_and_as_the_client(secret: str | None) -> None:
    with ForgingProvider(secret) as provider:
        assert sign_in(client(provider.issuer, secret)) == "ann@example.com"
        if secret:
            with pytest.raises(SignInRefusedError, match="invalid_client"):
                sign_in(client(provider.issuer, "another"))


def test_another_algorithm_of_the_provider_is_accepted(forger: ForgingProvider) -> None:
    forger.answer = Answer(sign=lambda provider, claims: provider.signed(claims, provider.curve, alg="ES256"))
    assert sign_in(client(forger.issuer)) == "ann@example.com"


@pytest.mark.parametrize("value", [True, 1])
def test_entra_verifies_addresses_by_their_domain(forger: ForgingProvider, value: object) -> None:
    forger.answer = Answer(claims={"email_verified": None, "xms_edov": value})
    assert sign_in(client(forger.issuer)) == "ann@example.com"


def test_an_address_that_is_only_in_the_user_info_counts(forger: ForgingProvider) -> None:
    forger.answer = Answer(
        claims={"email": None}, user_info={"sub": "user-1", "email": "bo@example.com", "email_verified": True}
    )
    assert sign_in(client(forger.issuer)) == "bo@example.com"


@pytest.mark.parametrize(("answer", "kind"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_sign_in_is_refused(forger: ForgingProvider, answer: Answer, kind: str) -> None:
    forger.answer = answer
    with pytest.raises(SignInRefusedError) as refused:
        sign_in(client(forger.issuer))
    assert refused.value.kind == kind


def test_an_answer_is_accepted_once_and_only_in_its_browser(forger: ForgingProvider) -> None:
    forger.answer = Answer()
    ours, spent = client(forger.issuer), set()
    started, other = ours.start(), ours.start()
    answer = returned(httpx.get(started.url))

    for cookie in (None, "", other.cookie):
        with pytest.raises(SignInRefusedError, match="oidc_state"):
            ours.finish(cookie, answer, lambda cookie: True)
    assert ours.finish(started.cookie, answer, lambda cookie: spent.add(cookie) is None) == "ann@example.com"
    asked = len(forger.requests)
    with pytest.raises(SignInRefusedError, match="used before"):
        ours.finish(started.cookie, answer, lambda cookie: cookie not in spent)
    assert len(forger.requests) == asked


def test_a_discovery_document_of_another_issuer_gets_no_code_and_no_secret(forger: ForgingProvider) -> None:
    for metadata in ({"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": 7}):
        forger.answer = Answer(metadata=metadata)
        with pytest.raises(SourceError, match="discovery document"):
            client(forger.issuer).start()
    forger.answer = Answer(metadata={"token_endpoint": "http://192.0.2.1/token"})
    with pytest.raises(SourceError, match="not https"):
        sign_in(client(forger.issuer, "secret"))


def test_a_provider_that_does_not_answer_is_said_to(forger: ForgingProvider) -> None:
    forger.answer = Answer()
    with ForgingProvider() as gone:
        ours = client(gone.issuer)
    with pytest.raises(UnreachableError):
        ours.start()
    with pytest.raises(SourceError, match="HTTP 404"):
        client(forger.issuer + "/tenant").start()


def test_a_failing_provider_is_not_asked_by_every_visitor() -> None:
    now = utc_now()
    with ForgingProvider() as provider:
        provider.answer = Answer(metadata={"issuer": "https://evil.example"})
        ours = OpenIdClient(
            OidcSettings(issuer=provider.issuer, client_id=CLIENT_ID),
            None,
            BACK,
            IdentityProvider({}),
            clock=lambda: now,
        )
        for _ in range(3):
            with pytest.raises(SourceError):
                ours.start()
        assert len(provider.requests) == 1

        provider.answer, now = Answer(), now + timedelta(seconds=11)
        assert ours.start().url.startswith(provider.issuer)


def test_no_error_of_a_sign_in_holds_the_secret(forger: ForgingProvider) -> None:
    secret = "canary-\u2603-secret"  # Authlib cannot encode it
    forger.answer = Answer()
    with pytest.raises(SignInRefusedError) as refused:
        sign_in(client(forger.issuer, secret))
    assert "canary" not in "".join(traceback.format_exception(refused.value))
