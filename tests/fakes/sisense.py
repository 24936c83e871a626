"""A fake Sisense with the documented shapes, and every documented fault on request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.http import HttpServer, Reply, Request, as_json

USERNAME, PASSWORD, API_TOKEN = "svc-review@example.com", "canary/pässword 4711", "canary.api-token.0815"
ADMIN_ROLE, VIEWER_ROLE = f"{1:024x}", f"{2:024x}"
_STRICT_KEYS = {"skip", "limit"}
_PAGE = 50


def account(number: int, **fields: Any) -> dict[str, Any]:
    name = f"user{number}@example.com"
    return {
        "_id": f"{number:024x}",
        "userName": name,
        "email": name,
        "roleId": VIEWER_ROLE,
        "groups": [f"{900:024x}"],
        "active": True,
        **fields,
    }


def accounts(number: int) -> list[dict[str, Any]]:
    return [account(i) for i in range(1, number + 1)]


@dataclass
class FakeSisense:
    """One instance; the fields describe how it behaves.

    ``fault(resource, nth)`` may reply to the nth request of a resource, counted from 1. ``before_page(nth)`` runs
    before the nth page of users is made, to add or remove accounts meanwhile. ``handlers`` reply by resource, and may
    be replaced one by one. ``seen`` counts the requests of each resource. ``logins`` are (style, user name,
    password); ``pages_requested`` are the (skip, limit) of the requests for users.
    """

    users: list[dict[str, Any]]
    groups: list[dict[str, Any]] = field(default_factory=list)
    cap: int | None = None
    ignores_skip: bool = False
    ignores_limit: bool = False
    refuses_above: int | None = None
    short: Callable[[int, int], int] = lambda nth, size: size
    has_count: bool = True
    count_is: Callable[[int], int] = lambda real: real
    strict: bool = False
    base: str = "/api/v1"
    prefix: str = ""
    login_path: str = "/api/v1/authentication/login"
    login_style: str = "form"
    password: str = PASSWORD
    roles_path: str = "/api/roles"
    count_path: str = "/api/users/count"
    groups_path: str | None = None
    has_groups: bool = True
    loggedin: dict[str, Any] | None = field(
        default_factory=lambda: {
            "_id": f"{1:024x}",
            "userName": USERNAME,
            "roleId": ADMIN_ROLE,
            "roleName": "admin",
            "token": "a" * 40,
        }
    )
    absent: Reply = field(default_factory=lambda: as_json({"error": {"code": 404, "message": "not found"}}, 404))
    token_uses: int | None = None
    refuses_tokens: bool = False
    fault: Callable[[str, int], Reply | None] = lambda resource, nth: None
    before_page: Callable[[int], None] = lambda nth: None
    headers: dict[str, str] = field(default_factory=dict)
    tls: Any = None

    def __post_init__(self) -> None:
        self.server = HttpServer(self.answer, tls=self.tls)
        self.seen: Counter[str] = Counter()
        self.logins: list[tuple[str, str, str]] = []
        self.tokens: dict[str, int] = {API_TOKEN: 0}
        self.pages_requested: list[tuple[int, int]] = []
        self.handlers: dict[str, Callable[[Request], Reply]] = {
            "loggedin": self._loggedin,
            "users_count": self._users_count,
            "roles": self._roles,
            "users": self._users,
            "groups": self._groups,
        }

    def __enter__(self) -> FakeSisense:
        self.server.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.server.__exit__(*details)

    @property
    def url(self) -> str:
        return self.server.url + self.prefix

    @property
    def ids(self) -> set[str]:
        return {user["_id"] for user in self.users}

    def answer(self, request: Request) -> Reply:
        """Reply to a request, for :class:`~tests.fakes.http.HttpServer`."""
        resource = self.resource_of(request)
        self.seen[resource] += 1
        broken = self.fault(resource, self.seen[resource])
        if broken is not None:
            return broken
        reply = self.reply(resource, request)
        return Reply(reply.status, reply.body, reply.media_type, {**self.headers, **reply.headers})

    def resource_of(self, request: Request) -> str:
        """Return the resource at the address of a request, or ``nothing``."""
        paths = {
            f"{self.prefix}/api/v1/application/status": "status",
            f"{self.prefix}{self.login_path}": "login",
            f"{self.prefix}/api/users/loggedin": "loggedin",
            f"{self.prefix}{self.count_path}": "users_count",
            f"{self.prefix}{self.roles_path}": "roles",
            f"{self.prefix}{self.base}/users": "users",
            f"{self.prefix}{self.groups_path or self.base + '/groups'}": "groups",
        }
        return paths.get(request.path, "nothing")

    def reply(self, resource: str, request: Request) -> Reply:
        """Reply to a request for a resource, after the checks that the API makes."""
        if resource == "nothing":
            return self.absent
        if resource == "status":
            return as_json({"version": {"version": "L2026.1"}, "license": {}})
        if resource == "login":
            return self._login(request)
        if not self._is_accepted(request.bearer):
            return as_json({"error": {"message": f"token {request.bearer} is invalid", "status": 401}}, 401)
        known = {
            "roles": {"includeManifest", "includeBaseRolesName"},
            "users": {"sort", "skip", "limit"},
            "groups": {"sort", "skip", "limit", "expand"},
        }.get(resource, set())
        if set(request.query) - (known & _STRICT_KEYS if self.strict else known):
            return as_json({"code": 422, "message": "unknown query parameter"}, 422)
        return self.handlers[resource](request)

    def _is_accepted(self, token: str | None) -> bool:
        if token not in self.tokens or self.refuses_tokens:
            return False
        self.tokens[token] += 1
        return self.token_uses is None or self.tokens[token] <= self.token_uses

    def _login(self, request: Request) -> Reply:
        style = "json" if request.headers.get("content-type", "").startswith("application/json") else "form"
        if style == "json":
            sent = json.loads(request.body)
        else:
            sent = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        self.logins.append((style, sent.get("username", ""), sent.get("password", "")))
        if style != self.login_style:
            return as_json({"message": "unsupported"}, 415)
        if (sent.get("username"), sent.get("password")) != (USERNAME, self.password):
            return as_json({"success": False, "message": f"wrong password {sent.get('password')}"})
        token = f"canary.session-token.{len(self.tokens)}"
        self.tokens[token] = 0
        return as_json({"success": True, "message": "", "access_token": token, "profile": {"userName": USERNAME}})

    def _loggedin(self, request: Request) -> Reply:
        return as_json(self.loggedin) if self.loggedin else self.absent

    def _users_count(self, request: Request) -> Reply:
        if not self.has_count:
            return self.absent
        return as_json({"collection": "users", "count": self.count_is(len(self.users))})

    def _roles(self, request: Request) -> Reply:
        return as_json([{"_id": ADMIN_ROLE, "name": "admin"}, {"_id": VIEWER_ROLE, "name": "consumer"}])

    def _users(self, request: Request) -> Reply:
        nth = self.seen["users"]
        self.before_page(nth)
        skip, limit = int(request.query.get("skip", 0)), int(request.query.get("limit", _PAGE))
        self.pages_requested.append((skip, limit))
        if self.refuses_above is not None and limit > self.refuses_above:
            return as_json({"message": "limit is too large"}, 422)
        size = len(self.users) if self.ignores_limit else min(limit, self.cap or limit)
        start = 0 if self.ignores_skip else skip
        return as_json(self.users[start : start + self.short(nth, size)])

    def _groups(self, request: Request) -> Reply:
        if not self.has_groups:
            return self.absent
        skip, limit = int(request.query.get("skip", 0)), int(request.query.get("limit", _PAGE))
        found = self.groups[skip : skip + limit]
        if "expand" not in request.query:
            found = [{key: value for key, value in group.items() if key != "users"} for group in found]
        return as_json(found)
