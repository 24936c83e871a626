"""Known faults and peculiarities of Sisense servers and of the proxies in front of them.

A scenario wraps every exchange: it may delay or refuse a request, rewrite it, or change the answer. Scenarios can be
combined; the first is the outermost. Counters belong to a server, so a run can be repeated.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import HTMLResponse, Response

from pipeline.simulator import objects_faults
from pipeline.simulator.exchange import Answer, Call, Proceed, as_it_is, cut, error
from pipeline.simulator.organisation import DISPLAY_NAMES
from pipeline.simulator.store import Store
from pipeline.simulator.write_faults import (
    active_refused,
    applied_then,
    gateway_timeout,
    guide_statuses,
    write_ignored,
)

__all__ = ["SCENARIOS", "TENANT_PREFIX", "Scenario"]

TENANT_PREFIX = "/acme"
"""The prefix of all paths in the ``tenant-prefix`` scenario."""

_PROXY_PAGE = "<!doctype html><title>Sign in</title><h1>Sign in to continue</h1>"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. ``behaviour`` is called once for each server and returns the wrapper of its exchanges."""

    summary: str
    behaviour: Callable[[Store], Answer]


def _slow(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        await asyncio.sleep(0.1)
        return await proceed(call)

    return answer


def _capped_limit(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        limit = call.query.get("limit", "")
        if call.is_page and limit.isdigit():
            call.query["limit"] = str(min(100, int(limit)))
        return await proceed(call)

    return answer


def _expiring_token(_: Store) -> Answer:
    uses: Counter[str] = Counter()

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.token is not None and not call.is_login:
            uses[call.token] += 1
            if uses[call.token] > 20:
                return error(401, 104, "Access token is invalid or has expired")
        return await proceed(call)

    return answer


def _every(number: int, instead: Callable[[Call], Response]) -> Callable[[Store], Answer]:
    """Answer every ``number``-th read with ``instead``; a repeated read is answered correctly."""

    def behaviour(_: Store) -> Answer:
        reads = 0

        async def answer(call: Call, proceed: Proceed) -> Response:
            nonlocal reads
            if call.method == "GET" and call.token is not None:
                reads += 1
                if reads % number == 0:
                    return instead(call)
            return await proceed(call)

        return answer

    return behaviour


def _unavailable(_: Call) -> Response:
    return HTMLResponse("<h1>503 Service Unavailable</h1>", 503)


def _too_many(_: Call) -> Response:
    return Response("Too many requests", 429, {"Retry-After": "1"})


def _html(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        return HTMLResponse(_PROXY_PAGE) if call.is_page else await proceed(call)

    return answer


def _missing(*paths: str) -> Callable[[Store], Answer]:
    def behaviour(_: Store) -> Answer:
        async def answer(call: Call, proceed: Proceed) -> Response:
            return (
                error(404, 2001, f"Cannot {call.method} {call.path}") if call.path in paths else await proceed(call)
            )

        return answer

    return behaviour


def _display_role_names(store: Store) -> Answer:
    store.roles = {
        role_id: {**role, "name": DISPLAY_NAMES.get(role["name"], role["name"])}
        for role_id, role in store.roles.items()
    }
    return as_it_is


def _whole_list(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.is_page:
            call.query.pop("skip", None)
            call.query.pop("limit", None)
        return await proceed(call)

    return answer


def _default_page(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.is_page:
            call.query.setdefault("skip", "0")
        return await proceed(call)

    return answer


def _non_admin(store: Store) -> Answer:
    viewer = next(role_id for role_id, role in store.roles.items() if role["name"] in {"consumer", "Viewer"})
    store.by_id[store.caller_id] = {**store.by_id[store.caller_id], "roleId": viewer}
    visible = store.users[: len(store.users) // 3]
    store.users = [store.by_id[user["_id"]] for user in visible]

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.method in {"POST", "PATCH", "DELETE"} and not call.is_login:
            return error(403, 105, "Insufficient permissions")
        if call.path == "/api/users/count":
            return error(403, 105, "Insufficient permissions")
        return await proceed(call)

    return answer


def _short_pages(_: Store) -> Answer:
    pages = 0

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal pages
        limit = call.query.get("limit", "")
        if call.is_page and limit.isdigit():
            pages += 1
            if pages % 3 == 0:
                call.query["limit"] = str(max(1, int(limit) * 3 // 5))
        return await proceed(call)

    return answer


def _repeats_page(_: Store) -> Answer:
    done = False

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal done
        skip, limit = call.query.get("skip", ""), call.query.get("limit", "")
        if call.is_page and not done and skip.isdigit() and limit.isdigit() and int(skip) >= 2 * int(limit) > 0:
            done = True
            call.query["skip"] = str(int(skip) - int(limit))
        return await proceed(call)

    return answer


class _Truncated(Response):
    """Announces the whole body and stops in the middle of it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2], "more_body": True})


def _truncated_body(_: Store) -> Answer:
    pages = 0

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal pages
        response = await proceed(call)
        if call.is_page:
            pages += 1
            if pages % 3 == 2:
                return _Truncated(bytes(response.body), response.status_code, media_type="application/json")
        return response

    return answer


def _drift(changes: int | None) -> Callable[[Store], Answer]:
    """Remove the first account, or add one, after every second page but the first: ``changes`` times or always."""

    def behaviour(store: Store) -> Answer:
        pages = made = 0

        async def answer(call: Call, proceed: Proceed) -> Response:
            nonlocal pages, made
            response = await proceed(call)
            if call.is_page and call.query.get("skip", "0") != "0":
                pages += 1
                if pages % 2 == 0 and (changes is None or made < changes):
                    made += 1
                    if made % 2:
                        store.delete(next(user["_id"] for user in store.users if user["_id"] != store.caller_id))
                    else:
                        store.create({"email": f"joiner{made}@example.com", "password": "x"})
            return response

        return answer

    return behaviour


_PLAIN_KEYS = {"skip", "limit", "userName", "email", "roleId", "groupId", "active", "origin", "ids"}


def _strict_query(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        unknown = sorted(set(call.query) - _PLAIN_KEYS)
        if call.is_page and unknown:
            return error(422, 2003, f"unknown query parameter {unknown[0]}")
        return await proceed(call)

    return answer


def _filters_ignored(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.is_page:
            for key in set(call.query) - {"skip", "limit", "expand", "fields"}:
                del call.query[key]
        return await proceed(call)

    return answer


def _stalls(_: Store) -> Answer:
    pages = 0

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal pages
        if call.is_page:
            pages += 1
            if pages == 3:
                await asyncio.sleep(3_600)
        return await proceed(call)

    return answer


def _json_login(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        is_json = call.headers.get("content-type", "").startswith("application/json")
        if call.is_login and not is_json:
            return error(415, 2004, "Unsupported media type")
        return await proceed(call)

    return answer


def _legacy(base: str) -> Callable[[Store], Answer]:
    """Serve v0.9 under ``base``. Of v1 only the login exists, at its own path and under ``base``."""

    def behaviour(_: Store) -> Answer:
        async def answer(call: Call, proceed: Proceed) -> Response:
            if call.path.startswith(base + "/") and not call.path.startswith("/api/v1/"):
                rest = call.path.removeprefix(base)
                call.path = "/api/v1" + rest if rest == "/authentication/login" else "/api" + rest
            elif call.path != "/api/v1/authentication/login":
                return error(404, 2001, f"Cannot {call.method} {call.path}")
            return await proceed(call)

        return answer

    return behaviour


def _tenant_prefix(_: Store) -> Answer:
    async def answer(call: Call, proceed: Proceed) -> Response:
        if not call.path.startswith(TENANT_PREFIX + "/"):
            return error(404, 2001, f"Cannot {call.method} {call.path}")
        call.path = call.path.removeprefix(TENANT_PREFIX)
        return await proceed(call)

    return answer


SCENARIOS: dict[str, Scenario] = {
    "slow": Scenario("every answer takes 100 ms", _slow),
    "capped-limit": Scenario("no page of users has more than 100 rows, whatever the limit", _capped_limit),
    "default-page": Scenario("an unpaged request gets the first 50 users only", _default_page),
    "expiring-token": Scenario("a token expires after 20 requests", _expiring_token),
    "flaky": Scenario("every 7th read answers 503 with HTML", _every(7, _unavailable)),
    "rate-limit": Scenario("every 10th read answers 429 with Retry-After", _every(10, _too_many)),
    "resets": Scenario("the connection is cut at every 6th read", _every(6, cut)),
    "truncated-body": Scenario("every third page of users stops in the middle", _truncated_body),
    "stalls": Scenario("the third page of users is never answered", _stalls),
    "html": Scenario("requests for users get a login page with status 200", _html),
    "no-count": Scenario("there is no endpoint for the number of users", _missing("/api/users/count")),
    "roles-under-v1-only": Scenario("roles exist at /api/v1/roles only", _missing("/api/roles")),
    "display-role-names": Scenario("roles have their display names", _display_role_names),
    "whole-list": Scenario("skip and limit are ignored", _whole_list),
    "short-pages": Scenario("every third page of users is short", _short_pages),
    "repeats-page": Scenario("one page of users is repeated once, in place of the next", _repeats_page),
    "drift": Scenario("four accounts are removed or added while pages are read", _drift(4)),
    "endless-drift": Scenario("accounts are removed and added for as long as pages are read", _drift(None)),
    "strict-query": Scenario("sort, expand, fields and unknown keys are refused on users", _strict_query),
    "filters-ignored": Scenario("filters and sort keys of users are ignored", _filters_ignored),
    "non-admin": Scenario("the caller is a Viewer and sees a third of the accounts", _non_admin),
    "json-login": Scenario("the login takes JSON only", _json_login),
    "v0.9-only": Scenario("only the v0.9 endpoints at /api exist", _legacy("/api")),
    "v0.9-path": Scenario("only the v0.9 endpoints exist, at /api/v0.9", _legacy("/api/v0.9")),
    "write-then-504": Scenario(
        "every other change is made, but answered with 504",
        applied_then(gateway_timeout),
    ),
    "write-then-cut": Scenario("every other change is made, but its connection is cut", applied_then(cut)),
    "write-ignored": Scenario("every other change of an account is confirmed with 200, but not made", write_ignored),
    "no-active-in-patch": Scenario("changing 'active' is refused with 422", active_refused),
    "guide-statuses": Scenario("creating answers 200 and deleting answers 200 with {}", guide_statuses),
    "tenant-prefix": Scenario(f"all paths begin with {TENANT_PREFIX}", _tenant_prefix),
    **{name: Scenario(summary, behaviour) for name, (summary, behaviour) in objects_faults.FAULTS.items()},
}
"""Every scenario, by its name in ``simulate --scenario``."""
