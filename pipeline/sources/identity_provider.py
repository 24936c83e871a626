"""Speaks HTTP to an OpenID Connect provider. Nothing is tried twice, because a person waits for the answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from pipeline.errors import UnreachableError
from pipeline.settings import is_loopback
from pipeline.sources.diagnosis import explain
from pipeline.sources.errors import UnreadableError
from pipeline.sources.network import find_route

__all__ = ["IdentityProvider"]

#: Seconds to wait for each piece of an answer: the visitor's browser shows nothing meanwhile.
_TIMEOUT = 10.0
#: The longest answer to read, in bytes. Key sets and discovery documents have a few thousand.
_LONGEST = 1024 * 1024
_HINT = "try again later; if it lasts, ask the operators of the identity provider"


class IdentityProvider:
    """One provider. Safe to call from several threads. ``environment`` names proxies and trusted CAs."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def get(self, url: str, *, token: str | None = None) -> httpx.Response:
        """Return what the provider answers at an address; ``token`` is sent as a bearer token.

        Raises:
            UnreachableError: there is no answer, or one that says that the server is in trouble.
            UnreadableError: the answer is too long, or the address is not encrypted.
        """
        return self._send("GET", url, {} if token is None else {"Authorization": f"Bearer {token}"}, None)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> httpx.Response:
        """Send a form, and return the answer. Raises as :meth:`get`."""
        return self._send("POST", url, headers, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> httpx.Response:
        where = _place(url)
        route = find_route(url, environment=self._environment)
        try:
            with (
                route.blocking_client(timeout=_TIMEOUT) as client,
                client.stream(method, url, headers={"Accept": "application/json", **headers}, content=body) as answer,
            ):
                content = b""
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _LONGEST:
                        raise UnreadableError(
                            "the answer of the identity provider is too long", where=where, hint=_HINT
                        )
        except httpx.HTTPError as error:
            trouble = explain(error, route)
            raise UnreachableError(trouble.message, where=where, hint=_HINT) from None
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UnreachableError(f"the identity provider answers {answer.status_code}", where=where, hint=_HINT)
        return httpx.Response(answer.status_code, content=content, request=answer.request)


def _place(url: str) -> str:
    """Return the server of an address, as it may be shown.

    Raises:
        UnreadableError: it is not an address that secrets may be sent to.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        parts, host = urlsplit(""), ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UnreadableError(
            "the identity provider names an address that is not https",
            where=f"{parts.scheme}://{host}",
            hint="check 'issuer' in [web.oidc], and the provider's discovery document",
        )
    return f"{parts.scheme}://{host}"
