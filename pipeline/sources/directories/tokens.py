"""Tokens of a directory: an API token of Okta, or access tokens that an OAuth client obtains and renews.

Both directories issue access tokens by the client credentials grant (RFC 6749, section 4.4). Okta wants the client to
prove itself with a signed assertion, ``private_key_jwt`` (RFC 7523); for Entra ID it sends its secret.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError, LoginError
from pipeline.settings import Secret
from pipeline.sources.directories.endpoint import as_object
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply, Request, Token, fits_a_header
from pipeline.sources.transport import Client

__all__ = ["ApiToken", "ClientTokens", "Issued", "request_token", "sign_assertion"]

#: A token is renewed so long before it expires, in seconds.
_MARGIN = 60
#: The lifetime of a token whose issuer does not state it, in seconds.
_DEFAULT_LIFETIME = 3600
#: The lifetime of an assertion, in seconds. Okta accepts at most an hour.
_ASSERTION_LIFETIME = 300


class ApiToken:
    """An API token of Okta, sent as ``Authorization: SSWS ...``; once refused, it is refused for good."""

    def __init__(self, client: Client, token: Secret, hint: str) -> None:
        self._client = client
        self._hint = hint
        self._token = Token(token.reveal(), 0, "SSWS")
        client.redaction.add(token.reveal())
        if not fits_a_header(self._token.value):
            raise ConfigurationError(
                "the API token contains characters that no token has",
                where=f"environment, {client.source.environment_prefix}_TOKEN",
                hint="copy the token again, without spaces, line breaks or quotes",
            )

    async def token(self) -> Token:
        """Return the token."""
        return self._token

    def accepted(self, token: Token) -> None:
        """Do nothing: there is only one token."""

    async def refused(self, token: Token) -> None:  # noqa: ARG002
        """Raise, because there is no other token."""
        raise LoginError(
            "the directory refuses the API token",
            where=self._client.where("GET", self._client.source.url),
            hint=self._hint,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """An access token, and for how many seconds it is valid. ``scope`` lists what it permits, if that was stated."""

    value: str
    lifetime: float
    scope: str = ""


class ClientTokens:
    """Access tokens of an OAuth client (see :class:`~pipeline.sources.transport.Authority`).

    ``issue`` requests a new one. A token is renewed before it expires, and once when it is refused although it was
    accepted before. A new token that is refused at once ends the extract.
    """

    def __init__(self, client: Client, issue: Callable[[], Awaitable[Issued]], clock: Clock, hint: str) -> None:
        self._client = client
        self._issue = issue
        self._clock = clock
        self._hint = hint
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._expires_at: datetime = clock()
        self._was_accepted = False
        self.logins = 0

    async def token(self) -> Token:
        """Return a token that has not expired.

        Raises:
            LoginError: the client is refused.
        """
        if self._token is None or self._clock() >= self._expires_at:
            async with self._lock:
                if self._token is None or self._clock() >= self._expires_at:
                    await self._renew()
        assert self._token is not None  # noqa: S101  _renew sets it or raises
        return self._token

    def accepted(self, token: Token) -> None:
        """Record that the current token was accepted."""
        if self._token is not None and token.generation == self._token.generation:
            self._was_accepted = True

    async def refused(self, token: Token) -> None:
        """Replace a token that was refused, unless another request has replaced it already.

        Raises:
            LoginError: a new token was refused too, or none is issued.
        """
        async with self._lock:
            if self._token is not None and token.generation != self._token.generation:
                return
            if not self._was_accepted:
                raise LoginError(
                    "a token was issued, but the directory refuses it",
                    where=self._client.where("GET", self._client.source.url),
                    hint=self._hint,
                )
            await self._renew()

    async def _renew(self) -> None:
        issued = await self._issue()
        self.logins += 1
        self._client.redaction.add(issued.value)
        self._was_accepted = False
        self._token = Token(issued.value, self.logins)
        lifetime = max(issued.lifetime - _MARGIN, issued.lifetime / 2)
        self._expires_at = self._clock() + timedelta(seconds=lifetime)


async def request_token(client: Client, path: str, form: Mapping[str, str], hint: str) -> Issued:
    """Request an access token, as RFC 6749, section 4.4 describes.

    Raises:
        LoginError: the client is refused.
        SourceError: the issuer does not answer.
    """
    request = Request(path, method="POST", form={"grant_type": "client_credentials", **form}, is_login=True)
    try:
        answer, issued = await client.fetch(request, _read_token)
    except RefusedError as error:
        if "DPoP" in error.message:
            hint = "clear 'Require Demonstrating Proof of Possession' in the application; docs/okta.md shows where"
        raise LoginError(f"no token is issued: {error.message}", where=error.where, hint=hint) from None
    client.redaction.add(issued.value)
    client.page_log.record(answer, "login")
    return issued


def _read_token(answer: Reply) -> Issued:
    document = as_object(answer)
    value, lifetime = document.get("access_token"), document.get("expires_in")
    if not isinstance(value, str) or not fits_a_header(value):
        raise BadAnswerError("the answer contains no access token")
    if isinstance(lifetime, str) and lifetime.isascii() and lifetime.isdigit():
        lifetime = int(lifetime[:9])
    if not isinstance(lifetime, int | float) or lifetime <= 0:
        lifetime = _DEFAULT_LIFETIME
    scope = document.get("scope")
    return Issued(value, float(lifetime), scope if isinstance(scope, str) else "")


def sign_assertion(key: Secret, client_id: str, audience: str, now: datetime, where: str) -> str:
    """Return a signed assertion that proves who the client is (RFC 7523, section 3).

    Okta: https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/

    Raises:
        ConfigurationError: the private key cannot be used.
    """
    issued_at = int(now.timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + _ASSERTION_LIFETIME,
        "jti": uuid.uuid4().hex,
    }
    for kind, algorithm in ((RSAKey, "RS256"), (ECKey, "ES256")):
        try:
            imported = kind.import_key(key.reveal())
            return jwt.encode({"alg": algorithm}, claims, imported, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError):  # a key of the other kind; the text may quote it
            continue
    raise ConfigurationError(
        "the private key cannot sign: it is neither an RSA key nor one of the curve P-256",
        where=where,
        hint="use the private key that belongs to the public key of the application, without a passphrase",
    ) from None
