"""Sign-ins that must be refused: what a provider, or who pretends to be it, answers, and the kind of the refusal."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.http import Reply
from tests.fakes.identity_provider import CLIENT_ID, Answer, ForgingProvider


def _with(key: str, **header: Any) -> Any:
    return lambda provider, claims: provider.signed(claims, getattr(provider, key), **header)


def _claims(**claims: Any) -> Answer:
    return Answer(claims=claims)


FORGERIES: dict[str, tuple[Answer, str]] = {
    "of another issuer": (_claims(iss="https://evil.example"), "oidc_token"),
    "of no issuer": (_claims(iss=None), "oidc_token"),
    "for another client": (_claims(aud="another"), "oidc_token"),
    "for other clients": (_claims(aud=["another", "third"], azp=CLIENT_ID), "oidc_token"),
    "for another client, handed out to us": (_claims(aud="another", azp=CLIENT_ID), "oidc_token"),
    "for us, handed out to another client": (_claims(azp="another"), "oidc_token"),
    "for several, handed out to nobody": (_claims(aud=[CLIENT_ID, "another"]), "oidc_token"),
    "for nobody": (_claims(aud=None), "oidc_token"),
    "of another sign-in": (_claims(nonce="another"), "oidc_token"),
    "of no sign-in": (_claims(nonce=None), "oidc_token"),
    "expired": (_claims(exp=int(time.time()) - 3600, iat=int(time.time()) - 7200), "oidc_token"),
    "without an end": (_claims(exp=None), "oidc_token"),
    "with an end that is no time": (_claims(exp="tomorrow"), "oidc_token"),
    "from the future": (_claims(iat=int(time.time()) + 3600), "oidc_token"),
    "without its time": (_claims(iat=None), "oidc_token"),
    "of nobody": (_claims(sub=None), "oidc_token"),
    "for another access token": (_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "oidc_token"),
    "without a signature": (Answer(sign=_with("key", alg="none")), "oidc_token"),
    "signed with our public key": (Answer(sign=ForgingProvider.signed_with_public_key), "oidc_token"),
    "signed by a stranger": (Answer(sign=_with("stranger")), "oidc_token"),
    "signed by an unknown key": (Answer(sign=_with("key", kid="unknown")), "oidc_token"),
    "signed by a key that is not named": (Answer(sign=_with("key", kid=None)), "oidc_token"),
    "no token": (Answer(sign=lambda provider, claims: "nonsense"), "oidc_token"),
    "an altered token": (
        Answer(sign=lambda provider, claims: provider.signed(claims).replace(".", ".A", 1)), "oidc_token"
    ),
    "answered without tokens": (Answer(token=Reply(200, b'{"access_token": "a"}')), "oidc_token"),
    "answered with a web page": (Answer(token=Reply(200, b"<html>", "text/html")), "oidc_provider"),
    "answered with an error": (Answer(token=Reply(400, b'{"error": "invalid_grant"}')), "oidc_provider"),
    "refused by the provider": (Answer(error="access_denied"), "oidc_provider"),
    "without a code": (Answer(callback={"code": None}), "oidc_provider"),
    "with an invented code": (Answer(callback={"code": "invented"}), "oidc_provider"),
    "with another state": (Answer(callback={"state": "another"}), "oidc_state"),
    "without a state": (Answer(callback={"state": None}), "oidc_state"),
    "answered by another issuer": (Answer(callback={"iss": "https://evil.example"}), "oidc_state"),
    "answered by an issuer that hides": (
        Answer(metadata={"authorization_response_iss_parameter_supported": True}), "oidc_state"
    ),
    "of an unverified address": (_claims(email_verified=False), "oidc_email"),
    "of an address that may be verified": (_claims(email_verified=None), "oidc_email"),
    "of an address verified in words": (_claims(email_verified="true"), "oidc_email"),
    "of an address that another claim calls verified": (_claims(email_verified=False, xms_edov=True), "oidc_email"),
    "of an address in a domain without an owner": (_claims(email_verified=None, xms_edov=False), "oidc_email"),
    "of no address": (Answer(claims={"email": None}, user_info={"sub": "user-1"}), "oidc_email"),
    "of an address that is no text": (_claims(email=["ann@example.com"]), "oidc_email"),
    "with the address of another user": (
        Answer(claims={"email": None},
               user_info={"sub": "user-2", "email": "ann@example.com", "email_verified": True}), "oidc_token"
    ),
}  # fmt: skip
