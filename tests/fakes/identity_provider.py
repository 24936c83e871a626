"""An OpenID Connect provider that signs whatever a test wants: for another client, of another issuer, by a stranger.

It speaks the authorization code flow with PKCE over HTTP, and is strict about what a client must send.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.fakes.http import HttpServer, Reply, Request, as_json

CLIENT_ID = "access-review"
Claims = dict[str, Any]


def _none(claims: Claims, header: dict[str, Any]) -> str:
    """Return a token without a signature, as ``alg: none`` has it."""
    return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@dataclass
class Answer:
    """What the provider answers with. ``claims`` are added to those of a good ID token; None leaves one out.

    ``sign`` makes the token; by default it is signed with the provider's own key.
    """

    email: str = "ann@example.com"
    claims: Claims = field(default_factory=dict)
    user_info: Claims | None = None
    metadata: Claims = field(default_factory=dict)
    callback: dict[str, str | None] = field(default_factory=dict)
    sign: Callable[[ForgingProvider, Claims], str] | None = None
    token: Reply | None = None
    error: str | None = None


class ForgingProvider:
    """The provider, from ``with`` to the end of the block. Set ``answer`` before a sign-in.

    ``secret`` is the client's; None accepts a public client only.
    """

    def __init__(self, secret: str | None = None) -> None:
        self.secret = secret
        self.answer = Answer()
        self.key = RSAKey.generate_key(2048, parameters={"kid": "rsa"}, private=True)
        self.curve = ECKey.generate_key("P-256", parameters={"kid": "ec"}, private=True)
        self.stranger = RSAKey.generate_key(2048, parameters={"kid": "rsa"}, private=True)
        self._codes: dict[str, dict[str, str]] = {}
        self._server = HttpServer(self._respond)

    @property
    def issuer(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    def __enter__(self) -> ForgingProvider:
        self._server.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.__exit__(*details)

    def signed(self, claims: Claims, key: Any = None, **header: Any) -> str:
        """Return an ID token with these claims, signed by a key, ours by default."""
        key = key or self.key
        algorithm = header.pop("alg", "RS256")
        if algorithm == "none":
            return _none(claims, header)
        fields = {"alg": algorithm, "kid": key.kid, **header}
        named = {name: value for name, value in fields.items() if value is not None}
        return jwt.encode(named, claims, key, algorithms=[algorithm])

    def signed_with_public_key(self, claims: Claims) -> str:
        """Return a token whose HMAC has our public key as its secret, which everybody knows."""
        content = f"{_encoded({'alg': 'HS256', 'kid': 'rsa'})}.{_encoded(claims)}"
        mac = hmac.new(self.key.as_pem(private=False), content.encode(), hashlib.sha256).digest()
        return f"{content}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def _respond(self, request: Request) -> Reply:
        match request.path:
            case "/.well-known/openid-configuration":
                return as_json(self._metadata() | self.answer.metadata)
            case "/jwks":
                return as_json(KeySet([self.key, self.curve]).as_dict(private=False))
            case "/authorize":
                return self._authorize(request)
            case "/token":
                return self.answer.token or self._token(request)
            case "/userinfo":
                return as_json(self.answer.user_info or {})
        return Reply(404)

    def _metadata(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "none", "HS256"],
        }

    def _authorize(self, request: Request) -> Reply:
        """Sign the user in at once, and send the browser back."""
        asked = request.query
        assert asked["code_challenge_method"] == "S256"
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        query: dict[str, str | None] = {"code": code, "state": asked["state"]}
        if self.answer.error:
            query = {"error": self.answer.error, "state": asked["state"]}
        query |= self.answer.callback
        present = {name: value for name, value in query.items() if value is not None}
        return Reply(302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(present)}"})

    def _token(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode()))
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return as_json({"error": "invalid_grant"}, 400)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge.decode().rstrip("=") != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return as_json({"error": "invalid_grant"}, 400)
        if not self._knows(request, form):
            return as_json({"error": "invalid_client"}, 401)
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "user-1",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "email": self.answer.email,
            "email_verified": True,
        }
        claims = {name: value for name, value in (good | self.answer.claims).items() if value is not None}
        sign = self.answer.sign or ForgingProvider.signed
        return as_json({"access_token": "access", "token_type": "Bearer", "id_token": sign(self, claims)})

    def _knows(self, request: Request, form: dict[str, str]) -> bool:
        if self.secret is None:
            return form.get("client_id") == CLIENT_ID and "authorization" not in request.headers
        name, _, secret = base64.b64decode(request.headers["authorization"].split()[1]).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, self.secret)
