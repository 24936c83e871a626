"""Scenarios of changes: made but denied, confirmed but not made, refused, or confirmed with other status codes."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import HTMLResponse, Response

from pipeline.simulator.exchange import Answer, Call, Proceed, error, json_response
from pipeline.simulator.store import Store

__all__ = ["active_refused", "applied_then", "gateway_timeout", "guide_statuses", "write_ignored"]

_CHANGES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


def _is_change(call: Call) -> bool:
    return call.method in _CHANGES and not call.is_login


def applied_then(instead: Callable[[Call], Response]) -> Callable[[Store], Answer]:
    """Make every other change, beginning with the first, and then answer ``instead``."""

    def behaviour(_: Store) -> Answer:
        changes = 0

        async def answer(call: Call, proceed: Proceed) -> Response:
            nonlocal changes
            response = await proceed(call)
            if _is_change(call):
                changes += 1
                if changes % 2 == 1:
                    return instead(call)
            return response

        return answer

    return behaviour


def gateway_timeout(_: Call) -> Response:
    """Answer as a proxy does that has waited too long."""
    return HTMLResponse("<h1>504 Gateway Time-out</h1>", 504)


def write_ignored(store: Store) -> Answer:
    """Confirm every other change of an account, beginning with the first, without making it."""
    changes = 0

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal changes
        if call.method == "PATCH" and call.token is not None:
            changes += 1
            user = store.by_id.get(call.path.rpartition("/")[2])
            if changes % 2 == 1 and user is not None:
                return json_response(user)
        return await proceed(call)

    return answer


def active_refused(_: Store) -> Answer:
    """Refuse to change ``active``."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.method == "PATCH" and b'"active"' in call.body:
            return error(422, 2003, "unknown field active")
        return await proceed(call)

    return answer


def guide_statuses(_: Store) -> Answer:
    """Answer with the status codes of the vendor's guide, which are not those of its API description."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        response = await proceed(call)
        if call.method == "POST" and response.status_code == 201:
            response.status_code = 200
        if call.method == "DELETE" and response.status_code == 204:
            return json_response({})
        return response

    return answer
