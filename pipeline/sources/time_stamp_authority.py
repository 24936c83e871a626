"""Speaks HTTP to a time-stamping authority, as RFC 3161 (section 3.4) specifies.

Nothing is tried twice: a folder without a time stamp is complete, and gets its stamp later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from pipeline.errors import UnreachableError
from pipeline.sources.diagnosis import explain, refused_by_proxy
from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.network import find_route

__all__ = ["TimeStampAuthority"]

#: Seconds to wait for each piece of an answer: a run waits for it at its end.
_TIMEOUT = 10.0
#: The longest answer to read, in bytes. An answer with its certificates has a few thousand.
_LONGEST = 256 * 1024
_HINT = "try again later; if it lasts, check 'timestamp_url' in [evidence], the network and any proxy between"


class TimeStampAuthority:
    """One authority. ``environment`` names proxies and trusted CAs; ``origin`` is the part of its address to show."""

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ) -> None:
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._url = url
        self._environment = environment

    def answer(self, query: bytes) -> bytes:
        """Send a request for a time stamp, and return the bytes of the answer.

        Raises:
            UnreachableError: there is no answer, or one that says that the server is in trouble.
            RefusedError: the server refuses the request.
            UnreadableError: the answer is too long, or the address cannot be used.
            ConfigurationError: a proxy or CA variable of the environment cannot be used.
        """
        route = find_route(self._url, environment=self._environment)
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with (
                route.blocking_client(timeout=_TIMEOUT) as client,
                client.stream("POST", self._url, headers=headers, content=query) as answer,
            ):
                content = b""
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _LONGEST:
                        raise self._unreadable("the answer of the time-stamping authority is too long")
        except httpx.HTTPError as error:
            trouble = explain(error, route)
            hint = trouble.hint if route.proxy is not None else _HINT
            raise UnreachableError(trouble.message, where=self.origin, hint=hint) from None
        except httpx.InvalidURL:
            raise self._unreadable("the address of the time-stamping authority cannot be used") from None
        if answer.status_code == 407 and route.proxy is not None:
            trouble = refused_by_proxy(route, 407)
            raise UnreachableError(trouble.message, where=self.origin, hint=trouble.hint)
        said = f"the time-stamping authority answers {answer.status_code}"
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise UnreachableError(said, where=self.origin, hint=_HINT)
        if not answer.is_success:
            raise RefusedError(said, where=self.origin, hint=_HINT, status=answer.status_code)
        return content

    def _unreadable(self, message: str) -> UnreadableError:
        return UnreadableError(message, where=self.origin, hint=_HINT)
