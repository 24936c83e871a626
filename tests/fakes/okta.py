"""A small Okta: users, groups, members and the users of one application, in the shapes that Okta publishes.

Lists are in the order of ids, with ``Link`` headers and opaque cursors. ``before`` may reply in place of the server;
``after`` may change a reply. Tokens are API tokens (SSWS), or access tokens issued for a signed assertion.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.http import Reply, Request, as_json

__all__ = ["API_TOKEN", "CLIENT_ID", "FakeOkta", "make_users"]

API_TOKEN = "00synthetic-okta-token-canary"
CLIENT_ID = "0oaclient"
_INVALID = as_json({"errorCode": "E0000011", "errorSummary": "Invalid token provided", "errorId": "e"}, 401)
_FORBIDDEN = as_json(
    {"errorCode": "E0000006", "errorSummary": "You do not have permission to perform the requested action"}, 403
)
_NOT_FOUND = as_json({"errorCode": "E0000007", "errorSummary": "Not found: Resource not found"}, 404)
_SCOPES = {
    "users": "okta.users.read",
    "groups": "okta.groups.read",
    "apps": "okta.apps.read",
    "roles": "okta.roles.read",
}
_MOST = {"users": 200, "groups": 10_000, "members": 1000, "assignments": 500}


def make_users(count: int) -> list[dict[str, Any]]:
    """Return users in Okta's shape: the first manages the others, and every ninth has left."""
    return [
        {
            "id": f"00u{number:06}",
            "status": "DEPROVISIONED" if number % 9 == 8 else "ACTIVE",
            "created": "2024-01-01T00:00:00.000Z",
            "statusChanged": f"2026-02-{number % 27 + 1:02}T08:00:00.000Z",
            "lastLogin": "2026-02-01T09:00:00.000Z" if number % 5 else None,
            "profile": {
                "login": f"user{number}@corp.example",
                "email": f"user{number}@example.com",
                "firstName": f"First{number}",
                "lastName": f"Last{number}",
                "mobilePhone": "+1-555-415-1337-canary",
                "secondEmail": "private-canary@elsewhere.example",
                "department": "Sales" if number % 2 else "Finance",
                "managerId": "00u000000" if number else None,
            },
            "credentials": {
                "provider": {"type": "OKTA", "name": "OKTA"},
                "recovery_question": {"question": "canary"},
            },
            "_links": {"self": {"href": "https://x"}},
        }
        for number in range(count)
    ]


def make_key() -> tuple[str, RSAKey]:
    """Return a private key in PEM form, and its public half as the server knows it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, RSAKey.import_key(public)


@dataclass
class FakeOkta:
    """The organisation. ``scopes`` are those granted to the OAuth client; ``caps`` lowers what a page may hold."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    assigned: dict[str, str] = field(default_factory=dict)
    application: str = "0oaapp"
    roles: list[str] | None = field(default_factory=lambda: ["READ_ONLY_ADMIN"])
    scopes: set[str] = field(default_factory=lambda: set(_SCOPES.values()))
    public_key: RSAKey | None = None
    most: int | None = None
    remaining: int | None = None
    before: Callable[[Request], Reply | None] = lambda request: None
    after: Callable[[Request, Reply], Reply] = lambda request, reply: reply
    access_tokens: dict[str, set[str]] = field(default_factory=dict)
    url: str = ""

    def answer(self, request: Request) -> Reply:
        """Answer a request, for :class:`~tests.fakes.http.HttpServer`."""
        self.url = f"http://{request.headers['host']}"
        if (reply := self.before(request)) is not None:
            return reply
        if request.path == "/oauth2/v1/token":
            return self._issue(request)
        return self.after(request, self._answer(request))

    def _answer(self, request: Request) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "SSWS" and token == API_TOKEN:
            scopes = self.scopes
        elif scheme == "Bearer" and token in self.access_tokens:
            scopes = self.access_tokens[token]
        else:
            return _INVALID
        return self._route(request, scopes, is_client=scheme == "Bearer")

    def _route(self, request: Request, scopes: set[str], *, is_client: bool) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts[-1] == "roles":
            return _FORBIDDEN if self.roles is None else as_json([{"id": "r", "type": role} for role in self.roles])
        if parts[:2] != ["api", "v1"] or len(parts) < 3:
            return _NOT_FOUND
        if _SCOPES.get(parts[2]) not in scopes:
            return _FORBIDDEN
        if parts[2:] == ["users", "me"] and not is_client:
            return as_json({"id": "00ureader", "profile": {"login": "reader@example.com"}})
        if parts[2:] == ["users"]:
            wanted = request.query.get("filter") == 'status eq "DEPROVISIONED"'
            return self._page(
                request, "users", [user for user in self.users if (user["status"] == "DEPROVISIONED") == wanted]
            )
        if parts[2:] == ["groups"]:
            groups = [
                {"id": key, "type": "BUILT_IN" if name == "Everyone" else "OKTA_GROUP", "profile": {"name": name}}
                for key, (name, _) in self.groups.items()
            ]
            return self._page(request, "groups", groups)
        if parts[2] == "groups" and parts[3] in self.groups:
            members = set(self.groups[parts[3]][1])
            return self._page(request, "members", [user for user in self.users if user["id"] in members])
        if parts[2:] == ["apps", self.application, "users"]:
            return self._page(request, "assignments", [self._assignment(*pair) for pair in self.assigned.items()])
        return _NOT_FOUND

    def _assignment(self, user_id: str, scope: str) -> dict[str, Any]:
        user = next(user for user in self.users if user["id"] == user_id)
        return {
            "id": user_id,
            "scope": scope,
            "status": "ACTIVE",
            "created": "2025-06-01T00:00:00.000Z",
            "credentials": {"userName": user["profile"]["login"]},
            "profile": {"salary": "canary"},
        }

    def _page(self, request: Request, kind: str, records: list[dict[str, Any]]) -> Reply:
        records = sorted(records, key=lambda record: record["id"])
        limit = min(int(request.query.get("limit", "200")), _MOST[kind], self.most or 10_000)
        after = request.query.get("after", "")
        rest = [record for record in records if record["id"] > after]
        page = rest[:limit]
        headers = {"Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())}
        links = [f'<{self.url}{request.path}>; rel="self"']
        if len(rest) > limit:
            query = urlencode({**request.query, "after": page[-1]["id"]})
            links.append(f'<{self.url}{request.path}?{query}>; rel="next"')
        headers["Link"] = ", ".join(links)
        if self.remaining is not None:
            self.remaining -= 1
            headers |= {
                "X-Rate-Limit-Remaining": str(self.remaining),
                "X-Rate-Limit-Reset": str(int(time.time()) + 30),
            }
            if self.remaining == 0:
                self.remaining = 100
        return Reply(200, json.dumps(page).encode(), headers=headers)

    def _issue(self, request: Request) -> Reply:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        wanted = set(form.get("scope", "").split())
        try:
            assert self.public_key is not None
            claims = jwt.decode(form["client_assertion"], self.public_key, algorithms=["RS256"]).claims
            assert claims["iss"] == claims["sub"] == CLIENT_ID
            assert claims["aud"] == f"{self.url}/oauth2/v1/token"
            assert 0 < claims["exp"] - claims["iat"] <= 3600
        except Exception:  # whatever is wrong with it
            return as_json({"error": "invalid_client", "error_description": "The client_assertion is invalid."}, 401)
        if not wanted <= self.scopes:
            return as_json(
                {"error": "invalid_scope", "error_description": "One or more scopes are not allowed."}, 400
            )
        token = f"synthetic-access-token-canary-{len(self.access_tokens) + 1}"
        self.access_tokens[token] = wanted
        return as_json({"token_type": "Bearer", "expires_in": 3600, "access_token": token, "scope": form["scope"]})


def make_okta(users: list[dict[str, Any]], **keys: Any) -> FakeOkta:
    """Return an organisation with these users, three groups and three assignments, whose pages hold 50 records."""
    ids = [user["id"] for user in users]
    groups = {"00gall": ("Everyone", ids), "00gops": ("Ops", ids[3:60:2]), "00gnew": ("Empty", [])}
    assigned = {ids[1]: "USER", ids[2]: "GROUP", ids[8]: "USER"}
    return FakeOkta(users, groups=groups, assigned=assigned, most=50, **keys)


def relinked(reply: Reply, change: Callable[[str], str]) -> Reply:
    """Return a reply with a changed ``Link`` header."""
    return replace(reply, headers={**reply.headers, "Link": change(reply.headers["Link"])})
