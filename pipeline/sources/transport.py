"""HTTP as the extract needs it: a request is repeated until it is answered or its budget is spent.

:class:`Client` puts four parts together: a :class:`~pipeline.sources.connection.Connection` sends a request once, a
:class:`~pipeline.sources.limiter.Limiter` says how many may be in flight, :class:`~pipeline.sources.retries.Retries`
says when to try again, and a :class:`~pipeline.sources.page_log.PageLog` records the accepted answers. Every failure
is in the tree of :mod:`pipeline.sources.errors`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from types import TracebackType
from typing import Protocol, TypeVar

import httpx

from pipeline.clock import Clock
from pipeline.settings import SourceSettings
from pipeline.sources.connection import Connection
from pipeline.sources.diagnosis import exhausted, is_web_page
from pipeline.sources.errors import AttemptError, BadAnswerError, RefusedError, UnclearError, UnreachableError
from pipeline.sources.exchange import Reply, Request, Token
from pipeline.sources.failures import LONGEST_ADVICE
from pipeline.sources.limiter import Limiter
from pipeline.sources.network import route_to
from pipeline.sources.page_log import PageLog
from pipeline.sources.redaction import Redaction
from pipeline.sources.retries import Attempts, Retries, Sleep

__all__ = ["Authority", "Client"]

_T = TypeVar("_T")

#: How often one request may find that its token has just expired.
_MOST_REFUSED_TOKENS = 10
#: Seconds in which another request is sent before an answer is read: parsing JSON holds up every other thread.
_HEAD_START = 0.002
_READ_BACK = "read the account back: the change may or may not have been made"


class Authority(Protocol):
    """Supplies the tokens, and learns which of them were accepted."""

    async def token(self) -> Token:
        """Return the current token."""

    def accepted(self, token: Token) -> None:
        """Record that a request with this token was answered."""

    async def refused(self, token: Token) -> None:
        """Replace a token that was refused, or raise."""


class Client:
    """The client of one source. Use it as an asynchronous context manager, in one event loop.

    ``redaction`` holds the secrets that no error, address or record may contain; ``page_log`` is where accepted
    answers are recorded, by default nowhere. With ``has_proxy_credential`` a first request should go alone: a proxy
    that refuses its credential must see it once.
    """

    def __init__(
        self,
        source: SourceSettings,
        *,
        clock: Clock,
        sleep: Sleep,
        page_log: PageLog | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.source = source
        self.sleep = sleep
        self.page_log = page_log or PageLog(source.name)
        self.redaction = Redaction()
        self.limiter = Limiter(source.concurrency)
        route = route_to(source, environment)
        if route.proxy is not None and route.proxy.credential is not None:
            self.redaction.add(route.proxy.credential[1])
        self._clock = clock
        self.has_proxy_credential = route.proxy is not None and route.proxy.credential is not None
        self._connection = Connection(source, route, self.redaction, clock=clock)
        self._failures = self._connection.failures
        self._retries = Retries(source, clock=clock, sleep=sleep)
        self._resting_until = clock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read")

    async def __aenter__(self) -> Client:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)
        await self._connection.__aexit__(kind, error, trace)

    @property
    def requests(self) -> int:
        """Return how many requests were sent."""
        return self._connection.requests

    @property
    def has_answered(self) -> bool:
        """Return whether the host has answered at all."""
        return self._connection.has_answered

    def where(self, method: str, url: str) -> str:
        """Return the place of an error: the source and the request, without secrets."""
        return self._failures.where(method, url)

    async def fetch(
        self,
        request: Request,
        read: Callable[[Reply], _T],
        *,
        authority: Authority | None = None,
        attempts: int | None = None,
        peek: Callable[[httpx.Response], bool] | None = None,
    ) -> tuple[Reply, _T]:
        """Send a request until ``read`` accepts the answer; return the answer and what was read.

        ``read`` raises :class:`BadAnswerError` for an answer that must be requested again. ``peek`` sees each whole
        answer before it is read, and returns whether it started another request, which is then sent first.

        Raises:
            RefusedError: a definite no (most of 4xx).
            RedirectedError: a redirect to another host, or a web page in answer to a login.
            UnreadableError: the budget is spent, and the last answer was not what was requested.
            UnreachableError: the budget is spent without an answer.
            LoginError: the authority has no other token.
        """
        started = self._clock()
        tried = self._retries.begin(attempts)
        loop = asyncio.get_running_loop()
        while True:
            async with self.limiter.slot() if authority else nullcontext():
                response, token = await self._until_answered(request, authority, tried)
            if peek is not None and peek(response):
                await asyncio.sleep(_HEAD_START)
            answer = self._connection.answer(response, started, tried.failed + 1)
            try:
                # in a thread, with the slot released: the next request is under way before this answer is read
                value = await loop.run_in_executor(self._reader, self._read, request, answer, read)
            except AttemptError as failure:
                await self._retries.wait(failure, tried)
                continue
            self._retries.succeed(answer.fetched_at)
            self.limiter.increase()
            if authority is not None and token is not None:
                authority.accepted(token)
            return answer, value

    async def write(self, request: Request, *, authority: Authority) -> Reply:
        """Send a change once. It is sent again only after a refused token, which proves that nothing was done.

        A success status does not prove that the change was made, and an error does not prove that it was not: the
        caller reads the account back.

        Raises:
            RefusedError: a definite no.
            UnclearError: whether the change was made is unknown.
            LoginError: the authority has no other token; nothing was done.
        """
        started = self._clock()
        for attempt in (1, 2):
            token = await authority.token()
            try:
                response = await self._connection.send(request, token)
            except AttemptError as failure:
                error = failure.error
                raise UnclearError(error.message, where=error.where, hint=_READ_BACK) from failure
            except UnreachableError as error:
                raise UnclearError(error.message, where=error.where, hint=_READ_BACK) from error
            if response.status_code != 401:
                break
            if attempt == 2:
                raise self._failures.refused(request, response)
            await authority.refused(token)
        answer = self._connection.answer(response, started, 1)
        if is_web_page(answer.body, answer.media_type):
            raise UnclearError(
                f"the change was answered with a web page{self._failures.said(request, response)}",
                where=self.where(request.method, answer.url),
                hint=_READ_BACK,
            )
        authority.accepted(token)
        return answer

    async def _until_answered(
        self, request: Request, authority: Authority | None, tried: Attempts
    ) -> tuple[httpx.Response, Token | None]:
        """Send until the server answers the request itself. The slot is held through the waits between attempts."""
        while True:
            token = await authority.token() if authority else None
            epoch = self.limiter.epoch
            await self._rest()
            try:
                response = await self._connection.send(request, token)
            except AttemptError as failure:
                self.limiter.decrease(epoch)
                await self._retries.wait(failure, tried)
                continue
            except RefusedError:
                self._retries.succeed(self._clock())
                raise
            now = self._clock()
            if (wait := exhausted(response, now)) is not None:
                self._resting_until = now + timedelta(seconds=min(wait, LONGEST_ADVICE))
            if response.status_code != 401 or authority is None or token is None:
                return response, token
            tried.refused_tokens += 1
            if tried.refused_tokens > _MOST_REFUSED_TOKENS:
                self._retries.succeed(self._clock())
                raise self._failures.refused(request, response)
            await authority.refused(token)

    async def _rest(self) -> None:
        """Wait until the rate limit that an earlier answer used up is reset."""
        wait = (self._resting_until - self._clock()).total_seconds()
        if wait > 0:
            await self.sleep(wait)

    def _read(self, request: Request, answer: Reply, read: Callable[[Reply], _T]) -> _T:
        try:
            if is_web_page(answer.body, answer.media_type):
                if request.is_login:  # the same page would come again, and each time the password would be sent
                    raise self._failures.login_page(request, answer)
                raise BadAnswerError("the answer is a web page instead of data")
            return read(answer)
        except BadAnswerError as error:
            raise AttemptError(self._failures.unreadable(request, answer, str(error))) from error
