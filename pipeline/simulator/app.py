"""The simulated Sisense: its endpoints, its login and its error bodies, as an ASGI application.

Shapes follow Sisense's published API descriptions and the calls of real clients. Two details matter:

- Without ``skip`` and ``limit``, a list of users or groups is complete: real clients rely on that. With ``skip``
  alone a page has :data:`DEFAULT_LIMIT` rows. No page has more than :data:`LARGEST_PAGE`.
- The v0.9 endpoints live at plain ``/api`` beside v1 and leak the password hash of every account.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.simulator import objects_api
from pipeline.simulator.exchange import Answer, Call, Proceed, as_it_is, error, json_response
from pipeline.simulator.paging import DEFAULT_LIMIT, LARGEST_PAGE, only_fields, page
from pipeline.simulator.population import CALLER, Population
from pipeline.simulator.scenarios import SCENARIOS
from pipeline.simulator.store import Conflict, Invalid, Record, Store

if TYPE_CHECKING:
    from pipeline.simulator.scim import Scim

__all__ = ["DEFAULT_LIMIT", "LARGEST_PAGE", "LEAKED_HASH", "PASSWORD", "SCIM_BASE", "Logged", "Sisense"]

PASSWORD = "synthetic-" + "password"
"""The caller's password. It is valid only for a simulator on loopback."""
LEAKED_HASH = "synthetic-leaked-hash"
"""Prefix of every account's ``hash`` in the v0.9 lists. A reader must never store it."""
SCIM_BASE = "/api/scim/v2"
VERSION = "2026.1.0.synthetic"

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_Handler = Callable[["Sisense", Call, str], Response]


@dataclass(frozen=True, slots=True)
class Logged:
    """One answered request. ``status`` is 0 if the connection was cut without an answer."""

    method: str
    path: str
    query: dict[str, str]
    status: int


class Sisense:
    """One simulated instance: its data, its tokens, its request log and its scenarios.

    These attributes may be set at any time. ``token_seconds`` is how long a token from a login lives; None means that
    it never expires, like an issued API token. Calls for which ``outage`` is true are answered with 503, and
    ``intercept`` answers every other call in front of the scenarios.
    """

    def __init__(self, population: Population, scenarios: Iterable[str] = ()) -> None:
        self.store = Store(population)
        self.username = CALLER
        self.password = PASSWORD
        self.token_seconds: float | None = None
        self._tokens: dict[str, float] = {}
        self.scim_token = secrets.token_urlsafe(24)
        self._scim: Scim | None = None
        self.reset(scenarios)
        self.app = Starlette(routes=[Route("/{path:path}", self._exchange, methods=_METHODS)])

    def reset(self, scenarios: Iterable[str] = ()) -> None:
        """Start over with the population as it was made, an empty log and these scenarios. Tokens stay valid."""
        self.store.reset()
        self.log: list[Logged] = []
        self.outage: Callable[[Call], bool] = lambda _: False
        self.intercept: Answer = as_it_is
        self.scenarios = tuple(SCENARIOS[name] for name in scenarios)
        proceed: Proceed = self._answer
        for scenario in reversed(self.scenarios):
            proceed = _wrapped(scenario.behaviour(self.store), proceed)
        self._proceed = proceed

    def issue_token(self, *, seconds: float | None = None) -> str:
        """Return a new token for the caller, valid for this many seconds, or without expiry."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = float("inf") if seconds is None else time.monotonic() + seconds
        return token

    def revoke_tokens(self) -> None:
        """Invalidate every token issued so far."""
        self._tokens.clear()

    async def _exchange(self, request: Request) -> Response:
        transport = request.scope.get("state", {}).get("transport")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        path = request.scope["path"]
        call = Call(
            request.method,
            path,
            dict(request.query_params),
            dict(request.headers),
            await request.body(),
            token if scheme.lower() == "bearer" and token else None,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            reset=lambda: None if transport is None else transport.abort(),
            raw_path=request.scope.get("raw_path", b"").decode("ascii"),
        )
        query = dict(call.query)
        try:
            response = (
                error(503, 0, "out of order") if self.outage(call) else await self.intercept(call, self._proceed)
            )
        except ConnectionResetError:
            self.log.append(Logged(request.method, path, query, 0))
            raise
        self.log.append(Logged(request.method, path, query, response.status_code))
        return response

    async def _answer(self, call: Call) -> Response:
        if call.path.startswith(SCIM_BASE + "/"):
            return self._answer_scim(call)
        found = self._handler(call)
        if found is None:
            return error(404, 2001, f"Cannot {call.method} {call.path}")
        handler, needs_token = found
        if needs_token and (refusal := self._refusal(call)):
            return refusal
        try:
            return handler()
        except Invalid as problem:
            return error(422, 2003, str(problem))
        except Conflict as problem:
            return error(409, 2002, str(problem))
        except KeyError:
            return error(404, 2001, "Not found")

    def _handler(self, call: Call) -> tuple[Callable[[], Response], bool] | None:
        """Return what answers a call, and whether it needs a token."""
        for method, pattern, handler, needs_token in _ROUTES:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                item_id = match["id"] if "id" in pattern.groupindex else ""
                return partial(handler, self, call, item_id), needs_token
        answer = objects_api.handler(self.store, call)
        return None if answer is None else (answer, True)

    def _refusal(self, call: Call) -> Response | None:
        if call.token is None:
            return error(401, 103, "Access token is missing")
        if self._tokens.get(call.token, 0.0) <= time.monotonic():
            return error(401, 104, "Access token is invalid or has expired")
        return None

    def _answer_scim(self, call: Call) -> Response:
        if self._scim is None:
            from pipeline.simulator.scim import Scim  # slow to import, and rarely used

            self._scim = Scim(self.store, self.scim_token)
        return self._scim.answer(call)

    # login and identity ----------------------------------------------------------------------------------

    def _login(self, call: Call, _: str) -> Response:
        if call.headers.get("content-type", "").startswith("application/json"):
            body = _json(call.body)
            fields = body if isinstance(body, dict) else {}
        else:
            fields = dict(parse_qsl(call.body.decode("utf-8", "replace")))
        if not isinstance(fields.get("username"), str) or not isinstance(fields.get("password"), str):
            raise Invalid("username and password are required")
        if fields["username"].lower() != self.username or fields["password"] != self.password:
            return error(401, 102, "Invalid username or password")
        token = self.issue_token(seconds=self.token_seconds)
        profile = self.store.by_id[self.store.caller_id]
        return json_response(
            {
                "success": True,
                "message": "",
                "access_token": token,
                "profile": {key: profile[key] for key in ("_id", "userName", "email", "roleId")},
            }
        )

    def _status(self, _call: Call, _: str) -> Response:
        return json_response({"version": {"version": VERSION}, "license": {"isExpired": False}})

    def _logged_in(self, _call: Call, _: str) -> Response:
        user = self.store.by_id[self.store.caller_id]
        role = self.store.roles.get(user.get("roleId") or "", {})
        return json_response({**user, "roleName": role.get("name"), "baseRoleName": role.get("baseRoleName")})

    # users -----------------------------------------------------------------------------------------------

    def _users(self, call: Call, _: str) -> Response:
        return json_response(self._page_of_users(call))

    def _users_with_hash(self, call: Call, _: str) -> Response:
        return json_response([{**user, "hash": _hash(user)} for user in self._page_of_users(call)])

    def _page_of_users(self, call: Call) -> list[Record]:
        rows = page(self.store.select(call.query), call.query)
        if expand := _expand(call.query, {"groups", "role", "adgroups"}):
            rows = [self.store.expanded(user, expand) for user in rows]
        return only_fields(rows, call.query)

    def _count(self, _call: Call, _: str) -> Response:
        return json_response({"collection": "users", "count": len(self.store.users)})

    def _user(self, call: Call, user_id: str) -> Response:
        return json_response(
            self.store.expanded(self.store.by_id[user_id], _expand(call.query, {"groups", "role", "adgroups"}))
        )

    def _create_user(self, call: Call, _: str) -> Response:
        return json_response(self.store.create(_json(call.body)), 201)

    def _update_user(self, call: Call, user_id: str) -> Response:
        return json_response(self.store.update(user_id, _json(call.body)))

    def _delete_user(self, _call: Call, user_id: str) -> Response:
        self.store.delete(user_id)
        return Response(status_code=204)

    # roles and groups ------------------------------------------------------------------------------------

    def _roles(self, call: Call, _: str) -> Response:
        hidden = set()
        if call.query.get("includeManifest") != "true":
            hidden.add("manifest")
        if call.query.get("includeBaseRolesName") != "true":
            hidden.add("baseRoleName")
        roles = self.store.roles.values()
        return json_response([{k: v for k, v in role.items() if k not in hidden} for role in roles])

    def _groups(self, call: Call, _: str) -> Response:
        query = call.query
        groups = list(self.store.groups.values())
        if "name" in query:
            groups = [group for group in groups if group["name"] == query["name"]]
        if "ids" in query:
            ids = set(query["ids"].split(","))
            groups = [group for group in groups if group["_id"] in ids]
        expand = _expand(query, {"users"})
        return json_response([self._shown(group, expand) for group in page(groups, query)])

    def _group(self, call: Call, group_id: str) -> Response:
        return json_response(self._shown(self.store.groups[group_id], _expand(call.query, {"users"})))

    def _shown(self, group: Record, expand: set[str]) -> Record:
        return {**group, "users": self.store.group_users(group["_id"])} if "users" in expand else group

    def _group_members(self, _call: Call, group_id: str) -> Response:
        return json_response(self.store.group_users(group_id))


def _route(
    method: str, path: str, handler: _Handler, *, needs_token: bool = True
) -> tuple[str, re.Pattern[str], _Handler, bool]:
    return method, re.compile(path.replace("{id}", "(?P<id>[^/]+)")), handler, needs_token


# the first match answers, so fixed names come before ids
_ROUTES = [
    _route("GET", "/api/v1/users", Sisense._users),
    _route("POST", "/api/v1/authentication/login", Sisense._login, needs_token=False),
    _route("GET", "/api/v1/application/status", Sisense._status, needs_token=False),
    _route("GET", "/api/(?:v1/)?users/loggedin", Sisense._logged_in),
    _route("GET", "/api/users/count", Sisense._count),
    _route("GET", "/api/users", Sisense._users_with_hash),
    _route("POST", "/api/v1/users", Sisense._create_user),
    _route("GET", "/api/(?:v1/)?users/{id}", Sisense._user),
    _route("PATCH", "/api/(?:v1/)?users/{id}", Sisense._update_user),
    _route("DELETE", "/api/(?:v1/)?users/{id}", Sisense._delete_user),
    _route("GET", "/api/(?:v1/)?roles", Sisense._roles),
    _route("GET", "/api/(?:v1/)?groups", Sisense._groups),
    _route("GET", "/api/(?:v1/)?groups/{id}", Sisense._group),
    _route("GET", "/api/groups/{id}/users", Sisense._group_members),
]


def _wrapped(answer: Answer, proceed: Proceed) -> Proceed:
    return lambda call: answer(call, proceed)


def _hash(user: Record) -> str:
    return f"{LEAKED_HASH}-{user['_id']}"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as problem:
        raise Invalid("the body is not JSON") from problem


def _expand(query: dict[str, str], known: set[str]) -> set[str]:
    wanted = {name for name in query.get("expand", "").split(",") if name}
    if not wanted <= known:
        raise Invalid(f"cannot expand {', '.join(sorted(wanted - known))}")
    return wanted
