"""One connection to a source: each request is sent once, and its failures are classified.

Credentials go to the configured host and to no other, through any number of redirects.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import TracebackType

import httpx

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import SourceSettings
from pipeline.sources.diagnosis import explain, media_type, refused_by_proxy, skew
from pipeline.sources.errors import AttemptError
from pipeline.sources.exchange import Reply, Request, Token
from pipeline.sources.failures import Failures, origin_of, requested_url
from pipeline.sources.network import Route
from pipeline.sources.redaction import Redaction

__all__ = ["Connection"]

#: Statuses that a later answer may contradict: the server, or a proxy before it, is in trouble.
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_MOST_REDIRECTS = 3
#: A whole answer may take this many times ``timeout_seconds``, which limits the wait for each piece of it.
_WHOLE_ANSWER = 10


class Connection:
    """Sends requests to one source. Use it as an asynchronous context manager.

    ``requests`` counts what was sent; ``has_answered`` distinguishes a host in trouble from one that is not there.
    """

    def __init__(self, source: SourceSettings, route: Route, redaction: Redaction, *, clock: Clock) -> None:
        self.requests = 0
        self.has_answered = False
        self.failures = Failures(source, route, redaction)
        self._source = source
        self._route = route
        self._redaction = redaction
        self._clock = clock
        self._origin = origin_of(httpx.URL(source.url))
        self._http = route.client(
            timeout=httpx.Timeout(source.timeout_seconds, pool=None),
            limits=httpx.Limits(max_connections=source.concurrency + 1, keepalive_expiry=15),
            headers={"Accept": "application/json"},
        )

    async def __aenter__(self) -> Connection:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, request: Request, token: Token | None) -> httpx.Response:
        """Send a request once; return a successful response, or the 401 that refuses the token.

        Raises:
            AttemptError: trouble that may pass.
            UnreachableError: trouble that will not pass.
            RefusedError: a definite no, or a redirect to another host.
            ConfigurationError: the address cannot be used.
        """
        url = httpx.URL(self._source.url + request.path)
        if request.query:
            url = httpx.URL(url, params=request.query)
        for step in range(_MOST_REDIRECTS + 1):
            response = await self._send(request, url, token)
            status = response.status_code
            if status == 407 and self._route.proxy is not None:
                raise self.failures.unreachable(request, refused_by_proxy(self._route, 407))
            self.has_answered = True
            if step:  # the server chooses the query of a redirect, so it may hold anything
                response.extensions["shown"] = url.copy_with(query=None)
            if not response.has_redirect_location:
                break
            target = self._target(request, response)
            if request.method != "GET" and status not in (307, 308):
                raise self.failures.redirected(request, target)
            url = target
        else:
            raise self.failures.redirected(request, url)
        if status in _TEMPORARY:
            raise self.failures.temporary(request, response, self._clock())
        if not response.is_success and not (status == 401 and token is not None):
            raise self.failures.refused(request, response)
        return response

    def answer(self, response: httpx.Response, started: datetime, attempts: int) -> Reply:
        """Return a response as an answer: where it came from, when, and after how many attempts."""
        now = self._clock()
        return Reply(
            url=self._redaction.hide(str(requested_url(response))),
            status=response.status_code,
            body=response.content,
            media_type=media_type(response),
            skew_seconds=skew(response, now),
            started_at=started,
            fetched_at=now,
            elapsed_ms=round((now - started).total_seconds() * 1000),
            attempts=attempts,
            next_link=response.links.get("next", {}).get("url"),
        )

    async def _send(self, request: Request, url: httpx.URL, token: Token | None) -> httpx.Response:
        self.requests += 1
        headers = dict(request.headers or {})
        if token is not None:
            headers["Authorization"] = f"{token.scheme} {token.value}"
        try:
            async with asyncio.timeout(self._source.timeout_seconds * _WHOLE_ANSWER):
                return await self._http.request(
                    request.method, url, data=request.form, json=request.document, headers=headers
                )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"the address cannot be used: {self._redaction.hide(str(error))}",
                where=f"source '{self._source.name}'",
                hint="correct 'url' in the configuration",
            ) from None
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            trouble = explain(error, self._route)
            failed = self.failures.unreachable(request, trouble)
            if trouble.is_lasting:
                raise failed from None
            raise AttemptError(failed) from None

    def _target(self, request: Request, response: httpx.Response) -> httpx.URL:
        """Return where a redirect leads.

        Raises:
            RefusedError: it leads to another host, or to an address that cannot be read.
        """
        try:
            target = response.url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError):
            raise self.failures.redirected(request, None) from None
        if origin_of(target) != self._origin:
            raise self.failures.redirected(request, target)
        return target
