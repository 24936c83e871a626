"""One connection to a source: a request is sent once, and what came of it is told apart.

What it promises: a credential goes to the configured host and to no other, and nothing it raises, and no address it
reports, carries a secret.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import httpx

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import SourceSettings
from pipeline.sources.diagnosis import (
    Trouble,
    advice,
    classify,
    duration,
    explain,
    media_type,
    refused_by_proxy,
    skew,
    words,
)
from pipeline.sources.errors import AttemptError, RedirectedError, RefusedError, UnreachableError
from pipeline.sources.network import route_to
from pipeline.sources.redaction import BLOT, Redaction

__all__ = [
    "LONGEST_ADVICE",
    "Answer",
    "Connection",
    "Query",
    "Request",
    "Token",
]

Query = Mapping[str, str | int]

#: Answers that a later one may contradict: the server, or a proxy before it, has trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_REDIRECTS = 3
#: The longest ``Retry-After`` that is obeyed to the second, in seconds.
LONGEST_ADVICE = 120.0
#: One answer may take this many times ``timeout_seconds``, which itself is between two pieces of it.
_WHOLE_ANSWER = 10


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A bearer token. ``generation`` tells an old one from the one that replaced it."""

    value: str
    generation: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One accepted answer. ``url`` carries no secret; times are UTC; ``attempts`` counts the failed ones too."""

    url: str
    status: int
    body: bytes
    media_type: str
    skew_seconds: float | None
    started_at: datetime
    fetched_at: datetime
    elapsed_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: to which address, with which query, and a form or a JSON document in it.

    What is said in answer to a login may repeat the password in some way that nobody thought of: it is never shown.
    """

    method: str
    url: str
    query: Query | None
    form: Mapping[str, str] | None
    document: Any
    is_login: bool = False


class Connection:
    """Sends requests to one source, and keeps its secrets out of sight. Use it as an asynchronous context manager.

    ``requests`` counts what was sent; ``has_answered`` tells a host that is in trouble from one that is not there.
    """

    def __init__(self, source: SourceSettings, *, clock: Clock, environment: Mapping[str, str] = os.environ) -> None:
        self.source = source
        self.requests = 0
        self.has_answered = False
        self._clock = clock
        self._redaction = Redaction()
        self._route = route_to(source, environment)
        if self._route.proxy is not None and self._route.proxy.credential is not None:
            self.keep_secret(self._route.proxy.credential[1])
        self._http = self._route.client(
            timeout=httpx.Timeout(source.timeout_seconds, pool=None),
            limits=httpx.Limits(max_connections=source.concurrency + 1, keepalive_expiry=15),
            headers={"Accept": "application/json"},
        )
        self._origin = _origin(httpx.URL(source.url))

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._http.aclose()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not be kept or shown."""
        return self._redaction.secrets

    def keep_secret(self, value: str) -> None:
        """Never show this value in anything that is raised."""
        self._redaction.add(value)

    def where(self, method: str, url: str | httpx.URL) -> str:
        """Return the place of an error: the source and the request."""
        return self.hide(f"source '{self.source.name}', {method} {url}")

    def hide(self, text: str) -> str:
        """Return the text with every secret in it blotted out, however it was encoded."""
        return self._redaction.hide(text)

    async def _once(self, request: Request, token: Token | None) -> httpx.Response:
        url = httpx.URL(request.url, params=request.query) if request.query else httpx.URL(request.url)
        for step in range(_REDIRECTS + 1):
            response = await self._send(request, url, token)
            status = response.status_code
            if status == 407 and self._route.proxy is not None:
                raise self._explained(request, refused_by_proxy(self._route, 407))
            self.has_answered = True
            if step:  # the query of a redirect is the server's to choose
                response.extensions["shown"] = url.copy_with(query=None)
            if not response.has_redirect_location:
                break
            target = self._target(request, response)
            if request.method != "GET" and status not in (307, 308):
                raise self._redirected(request, target)
            url = target
        else:
            raise self._redirected(request, url)
        if status in _PASSING:
            raise self._passing(request, response)
        if not response.is_success and not (status == 401 and token is not None):
            raise self._no(request, response)
        return response

    async def _send(self, request: Request, url: httpx.URL, token: Token | None) -> httpx.Response:
        self.requests += 1
        headers = {"Authorization": f"Bearer {token.value}"} if token else {}
        try:
            async with asyncio.timeout(self.source.timeout_seconds * _WHOLE_ANSWER):
                return await self._http.request(
                    request.method,
                    url,
                    data=request.form,
                    json=request.document,
                    headers=headers,
                )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"the address cannot be used: {self.hide(str(error))}",
                where=f"source '{self.source.name}'",
                hint="correct 'url' in the configuration",
            ) from None
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            trouble = explain(error, self._route)
            failed = self._explained(request, trouble)
            if trouble.is_lasting:
                raise failed from None
            raise AttemptError(failed) from None

    def _explained(self, request: Request, trouble: Trouble) -> UnreachableError:
        return UnreachableError(
            self.hide(trouble.message), where=self.where(request.method, request.url), hint=trouble.hint
        )

    def _passing(self, request: Request, response: httpx.Response) -> AttemptError:
        """Tell of trouble that may pass, and of a wait that is asked for and too long to be waited for here."""
        message = f"the server answers {response.status_code}{self._said(request, response)}"
        hint = "wait until the server has recovered, or lower 'concurrency' and 'page_size'"
        wait = advice(response, self._clock())
        if wait is not None and wait > LONGEST_ADVICE:
            message += f"; the server asks to wait {duration(wait)}"
            hint = f"run this again in {duration(wait)}, or ask whoever runs the server, or what stands before it"
        if self._is_proxied_openly and self._route.proxy is not None:
            hint += f"; a proxy from {self._route.proxy.variable} is in the way, and may have answered in its place"
        where = self.where(request.method, _shown(response))
        return AttemptError(UnreachableError(message, where=where, hint=hint), wait=wait)

    def _no(self, request: Request, response: httpx.Response) -> RefusedError:
        status = response.status_code
        return RefusedError(
            f"the server answers {status}{self._said(request, response)}",
            where=self.where(request.method, _shown(response)),
            hint=_HINTS.get(status, "look at the address and the version of the API"),
            status=status,
        )

    def _target(self, request: Request, response: httpx.Response) -> httpx.URL:
        """Return where a redirect leads, if that is on the same host."""
        try:
            target = response.url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError):
            raise self._redirected(request, None) from None
        if _origin(target) != self._origin:
            raise self._redirected(request, target)
        return target

    def _redirected(self, request: Request, target: httpx.URL | None) -> RefusedError:
        """Tell of a redirect that is not followed: the same server at another address, or something else."""
        place = "an address that cannot be read"
        if target is not None:
            place = f"{target.scheme}://{target.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
            if _origin(target) == self._origin:
                place = "another page of the same server"
        if self._redaction.repeats(place):
            place = BLOT
        message = f"the server sends the request on to {place}; it was not followed"
        at = self.where(request.method, request.url)
        if target is not None and _origin(target)[1] == self._origin[1] and _origin(target) != self._origin:
            hint = f"set 'url' to where the server is: it begins with {place}"
            return RefusedError(message, where=at, hint=hint, status=302)
        hint = "set 'url' to the address the API really has; behind single sign-on use an API token"
        return RedirectedError(message, where=at, hint=hint, status=302)

    def _answer(self, response: httpx.Response, started: datetime, attempts: int) -> Answer:
        now = self._clock()
        return Answer(
            url=self.hide(str(_shown(response))),
            status=response.status_code,
            body=response.content,
            media_type=media_type(response),
            skew_seconds=skew(response, now),
            started_at=started,
            fetched_at=now,
            elapsed_ms=round((now - started).total_seconds() * 1000),
            attempts=attempts,
        )

    def _said(self, request: Request, response: httpx.Response) -> str:
        return self._in_short(request, response.status_code, response.content, media_type(response))

    def _in_short(self, request: Request, status: int, body: bytes, media_type: str) -> str:
        """Return what an answer says, to put behind a message.

        Of an answer about a credential, and of one that a proxy may have given, only what kind of answer it is; of
        any other the server's own words, unless they repeat a part of a secret.
        """
        said = words(body, media_type)
        if request.is_login or status in (401, 407) or self._is_proxied_openly:
            return classify(body, media_type)
        if self._redaction.repeats(said):
            return f": what it says repeats a credential and is not shown ({len(body)} bytes)"
        return f": {said[:200]}" if said else ""

    @property
    def _is_proxied_openly(self) -> bool:
        """Tell whether a proxy can answer in the place of the server, which it can where there is no TLS."""
        return self._route.proxy is not None and self.source.url.startswith("http:")


_HINTS = {
    401: "the credential is not accepted there",
    403: "give the account of the credential an administrator's role",
    404: "this endpoint does not exist there: check 'url' (with its tenant prefix) and 'api'",
}


def _shown(response: httpx.Response) -> httpx.URL:
    """Return the address that was asked, as it may be shown."""
    shown: httpx.URL = response.extensions.get("shown", response.request.url)
    return shown


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default
