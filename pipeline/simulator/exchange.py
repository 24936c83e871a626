"""One request and the answers to it, as the endpoints and the scenarios see them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

__all__ = ["Answer", "Call", "Proceed", "as_it_is", "cut", "error", "json_response"]


@dataclass(slots=True)
class Call:
    """A request. Scenarios may change ``path`` and ``query`` before it is answered.

    ``origin`` is the scheme, host and port of the request. ``reset`` cuts the connection without an answer. ``token``
    is the bearer token of the request, if any. ``raw_path`` is the path as it was sent, with its escapes.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    token: str | None
    origin: str
    reset: Callable[[], None]
    raw_path: str = ""

    @property
    def is_page(self) -> bool:
        """Return whether this requests a list of users."""
        return self.method == "GET" and self.path in {"/api/v1/users", "/api/users"}

    @property
    def is_login(self) -> bool:
        """Return whether this is a login, under any base path."""
        return self.path.endswith("/authentication/login")


Proceed = Callable[[Call], Awaitable[Response]]
"""Passes a call on to the next scenario, or to the API itself."""
Answer = Callable[[Call, Proceed], Awaitable[Response]]
"""Answers a call itself, or passes it on and may change the answer."""


async def as_it_is(call: Call, proceed: Proceed) -> Response:
    """Pass every call on unchanged."""
    return await proceed(call)


def cut(call: Call) -> Response:
    """Cut the connection instead of answering."""
    call.reset()
    raise ConnectionResetError


def json_response(value: Any, status: int = 200) -> Response:
    """Answer with JSON in UTF-8, without ASCII escapes."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, media_type="application/json; charset=utf-8")


def error(status: int, code: int, message: str) -> Response:
    """Answer with the API's error body."""
    body = {"code": code, "message": message, "status": status, "httpMessage": HTTPStatus(status).phrase}
    return json_response({"error": body}, status)
