"""Signs reviewers in at an OpenID Connect provider: authorization code flow with PKCE, by OpenID Connect Core 1.0.

Authlib builds the requests and checks the claims of the ID token, joserfc its signature. What they leave to their
caller is checked here: that the discovery document is the issuer's own, the audience, which algorithms may sign,
the issuer of the authorization response (RFC 9207), and that the provider has verified the e-mail address.

The state, the nonce and the PKCE verifier are derived from one random value, which only the visitor's browser keeps,
in a cookie. So the server holds nothing while a visitor is at the provider, and keeps no secret of a sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from pipeline.clock import Clock, utc_now
from pipeline.errors import SourceError
from pipeline.settings import OidcSettings, Secret
from pipeline.sources.identity_provider import IdentityProvider
from pipeline.web.refusal import SignInRefusedError

__all__ = ["OpenIdClient", "StartedSignIn"]

#: Algorithms that may sign an ID token, if the provider says that it uses them: signatures, of which we hold no key.
#: Neither ``none`` nor HMAC, for which a provider's public key would do as the secret.
_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
#: Difference between two clocks that is allowed, in seconds.
_LEEWAY = 60
_DISCOVERY_LIFETIME = timedelta(hours=1)
#: A provider that failed is not asked again for so long, so that visitors cannot make us knock at it all the time.
_FAILURE_LIFETIME = timedelta(seconds=10)
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
#: Errors of RFC 6749 and OpenID Connect Core that are worth logging. Any other text may repeat a secret.
_ERRORS = frozenset(
    {
        "access_denied", "consent_required", "interaction_required", "invalid_client", "invalid_grant",
        "invalid_request", "invalid_scope", "login_required", "server_error", "temporarily_unavailable",
        "unauthorized_client", "unsupported_grant_type", "unsupported_response_type",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class StartedSignIn:
    """A sign-in that a visitor goes on with at ``url``. ``cookie`` is for their browser only."""

    url: str
    cookie: str


class OpenIdClient:
    """Our side of the provider in ``[web.oidc]``. Safe to call from several threads.

    ``redirect_uri`` is where the provider sends visitors back. Without a secret it is a public client.
    """

    def __init__(
        self,
        settings: OidcSettings,
        secret: Secret | None,
        redirect_uri: str,
        provider: IdentityProvider,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings, self._secret, self._redirect_uri = settings, secret, redirect_uri
        self._provider, self._clock = provider, clock
        #: A provider that answers slowly holds up other sign-ins, and no other request.
        self.threads = ThreadPoolExecutor(4, thread_name_prefix="oidc")
        self._lock = threading.Lock()
        self._discovery: tuple[datetime, Mapping[str, Any] | SourceError] | None = None

    def start(self) -> StartedSignIn:
        """Begin a sign-in.

        Raises:
            SourceError: the provider cannot be reached, or is not the configured issuer.
        """
        metadata = self._metadata()
        cookie = secrets.token_urlsafe(32)
        url, _ = self._client(metadata).create_authorization_url(
            metadata["authorization_endpoint"],
            state=_derived(cookie, "state"),
            nonce=_derived(cookie, "nonce"),
            code_verifier=_derived(cookie, "verifier"),
            scope="openid email",
        )
        return StartedSignIn(url, cookie)

    def finish(self, cookie: str | None, answer: Mapping[str, str], spend: Callable[[str], bool]) -> str:
        """Return the verified e-mail address of who signed in, as the provider writes it.

        ``answer`` is the query that the provider sent the browser back with. ``spend`` marks the cookie as used, and
        returns False if it was used before.

        Raises:
            SignInRefusedError: the answer is not acceptable.
            SourceError: the provider cannot be reached, or is not the configured issuer.
        """
        if not cookie or not hmac.compare_digest(
            answer.get("state", "").encode(), _derived(cookie, "state").encode()
        ):
            raise SignInRefusedError("oidc_state", "the answer does not belong to a sign-in begun in this browser")
        if not spend(cookie):
            raise SignInRefusedError("oidc_state", "the answer was used before")
        metadata = self._metadata()
        issuer = answer.get("iss")
        if issuer is None and metadata.get("authorization_response_iss_parameter_supported") is True:
            raise SignInRefusedError("oidc_state", "the answer does not name its issuer")
        if issuer not in {None, self._settings.issuer}:
            raise SignInRefusedError("oidc_state", "the answer is from another issuer")
        if "error" in answer:
            raise SignInRefusedError("oidc_provider", f"the provider answers {_known(answer['error'])}")
        if not _CODE.fullmatch(answer.get("code", "")):
            raise SignInRefusedError("oidc_provider", "the provider sent no code")
        token = self._token(metadata, answer["code"], _derived(cookie, "verifier"))
        claims = self._claims(metadata, token, _derived(cookie, "nonce"))
        return _verified_email(claims if "email" in claims else self._user_info(metadata, token, claims))

    def _metadata(self) -> Mapping[str, Any]:
        """Return the discovery document, at most an hour old."""
        with self._lock:
            now = self._clock()
            if self._discovery is None or now >= self._discovery[0]:
                try:
                    self._discovery = now + _DISCOVERY_LIFETIME, self._discovered()
                except SourceError as error:
                    self._discovery = now + _FAILURE_LIFETIME, error
            found = self._discovery[1]
        if isinstance(found, SourceError):
            raise found.with_traceback(None)
        return found

    def _discovered(self) -> Mapping[str, Any]:
        url = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = _json_object(self._provider.get(url), "discovery document", self._settings.issuer)
        # a document of another issuer could send the code, and our secret, to a server of its choice
        if document.get("issuer") != self._settings.issuer:
            raise _unusable("its discovery document names another issuer", self._settings.issuer)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(document.get(name), str):
                raise _unusable(f"its discovery document has no {name}", self._settings.issuer)
        return document

    def _client(self, metadata: Mapping[str, Any]) -> OAuth2Client:
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            _Sender(self._provider),
            client_id=self._settings.client_id,
            client_secret=self._secret.reveal() if self._secret else None,
            token_endpoint_auth_method=method if self._secret else "none",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )

    def _token(self, metadata: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        """Exchange the code for the tokens."""
        try:
            token = self._client(metadata).fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier)
        except AuthlibBaseError as error:
            raise SignInRefusedError("oidc_provider", f"the provider answers {_known(error.error)}") from None
        except (ValueError, TypeError, KeyError):  # their text may quote the answer, or the secret
            raise SignInRefusedError("oidc_provider", "the answer to our code is not readable") from None
        return dict(token)

    def _claims(self, metadata: Mapping[str, Any], token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """Return the claims of the ID token, checked by section 3.1.3.7 of OpenID Connect Core."""
        answer = self._provider.get(metadata["jwks_uri"])
        key_set = _json_object(answer, "key set", self._settings.issuer)
        offered = metadata.get("id_token_signing_alg_values_supported")
        algorithms = [name for name in _ALGORITHMS if isinstance(offered, list) and name in offered] or ["RS256"]
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        try:
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(key_set), registry=registry)  # type: ignore[arg-type]
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self._settings.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY)
        except ExpiredTokenError:
            raise SignInRefusedError("oidc_token", "the ID token has expired") from None
        except JoseError as error:
            claim = getattr(error, "claim", None)  # its name, from the library
            reason = error.error + (f" ({claim})" if claim else "")
            raise SignInRefusedError("oidc_token", f"the ID token is refused: {reason}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SignInRefusedError("oidc_token", "the ID token is not readable") from None
        return dict(claims)

    def _user_info(
        self, metadata: Mapping[str, Any], token: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return what the provider says of the user apart from the ID token, where many put the e-mail address."""
        url, access_token = metadata.get("userinfo_endpoint"), token.get("access_token")
        if not isinstance(url, str) or not isinstance(access_token, str):
            return {}
        found = _json_object(self._provider.get(url, token=access_token), "user info", self._settings.issuer)
        if found.get("sub") != claims["sub"]:  # or one user's token could be answered with another user's address
            raise SignInRefusedError("oidc_token", "the user info is about another user")
        return found


class _Sender:
    """Sends the form that Authlib prepared."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> Any:
        url, prepared, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._provider.post(url, body, prepared)


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        raise SignInRefusedError("oidc_email", "the provider names no e-mail address")
    # Microsoft Entra ID never sends email_verified. Its xms_edov says that the owner of the domain is verified.
    is_verified = claims["email_verified"] if "email_verified" in claims else claims.get("xms_edov") == 1
    if is_verified is not True:
        raise SignInRefusedError("oidc_email", f"the provider has not verified the address {email[:200]}")
    return email


def _derived(cookie: str, purpose: str) -> str:
    """Return a value that belongs to a sign-in and tells nothing about the others, nor about the cookie."""
    digest = hmac.new(cookie.encode(), f"sign-in {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _json_object(answer: Any, what: str, issuer: str) -> Mapping[str, Any]:
    try:
        document = answer.json() if answer.status_code == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _unusable(f"its {what} cannot be read (HTTP {answer.status_code})", issuer)
    return document


def _unusable(reason: str, issuer: str) -> SourceError:
    return SourceError(
        f"the identity provider cannot be used: {reason}",
        where=issuer,
        hint="copy 'issuer' in [web.oidc] exactly as the provider's discovery document writes it",
    )


def _known(error: object) -> str:
    """Return an error of the provider for the log."""
    return error if isinstance(error, str) and error in _ERRORS else "an error"
