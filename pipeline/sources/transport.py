"""HTTP as the extract needs it: one request, asked until it is answered or its budget is spent.

Fewer requests are in flight when the server pushes back, and what went wrong is told apart by what the reader does
next: :class:`~pipeline.errors.UnreachableError` (no answer), :class:`RefusedError` (a clear no),
:class:`UnreadableError` (an answer that makes no sense). How one request goes out is
:mod:`pipeline.sources.connection`'s.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx

from pipeline.clock import Clock
from pipeline.errors import UnreachableError
from pipeline.settings import SourceSettings
from pipeline.sources.connection import LONGEST_ADVICE, Answer, Connection, Query, Request, Token
from pipeline.sources.diagnosis import is_web_page
from pipeline.sources.errors import (
    AttemptError,
    BadAnswerError,
    RedirectedError,
    RefusedError,
    UnclearError,
    UnreadableError,
)
from pipeline.sources.limiter import Limiter
from pipeline.wording import counted

__all__ = ["Authority", "Client", "Sleep"]

Sleep = Callable[[float], Awaitable[None]]
_T = TypeVar("_T")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0
#: How often one request may find that the token in force has just expired.
_MOST_REFUSALS = 10


class Authority(Protocol):
    """Who hands out tokens, and hears what became of them."""

    async def token(self) -> Token:
        """Return the token in force."""

    def accepted(self, token: Token) -> None:
        """Hear that a request with this token was answered."""

    async def refused(self, token: Token) -> None:
        """Hear that this token was refused; return when there is another one, or raise."""


@dataclass(slots=True)
class _Tries:
    """What one request has been through: failed attempts, of at most ``most``, and tokens that were refused."""

    most: int
    failed: int = 0
    refused: int = 0


class Client(Connection):
    """Asks one source. Use it as an asynchronous context manager, in one event loop."""

    def __init__(
        self,
        source: SourceSettings,
        *,
        clock: Clock,
        sleep: Sleep,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__(source, clock=clock, environment=environment)
        self.sleep = sleep
        self._jitter = random.SystemRandom()
        self._lanes = Limiter(source.concurrency)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read")
        self._last_good = clock()

    async def __aexit__(self, *details: object) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)
        await super().__aexit__(*details)

    @property
    def narrowest(self) -> int:
        """Return the fewest requests that the server's trouble left in flight."""
        return self._lanes.narrowest

    async def ask(
        self,
        path: str,
        read: Callable[[Answer], _T],
        *,
        query: Query | None = None,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        document: Any = None,
        authority: Authority | None = None,
        attempts: int | None = None,
        is_login: bool = False,
    ) -> tuple[Answer, _T]:
        """Ask until ``read`` accepts the answer; return both the answer and what was read.

        ``read`` raises :class:`BadAnswerError` for an answer that must be asked for again.

        Raises:
            RefusedError: a clear no (most of 4xx).
            RedirectedError: a redirect to elsewhere, or a web page in answer to a login.
            UnreadableError: the budget is spent, and the last answer made no sense.
            UnreachableError: the budget is spent without an answer.
            LoginError: the authority has no other token.
        """
        request = Request(method, self.source.url + path, query, form, document, is_login)
        most = min(attempts or self.source.max_attempts, self.source.max_attempts)
        started = self._clock()
        tries = _Tries(most)
        loop = asyncio.get_running_loop()
        while True:
            async with self._lanes.one() if authority else nullcontext():
                response, token = await self._until_answered(request, authority, tries)
            answer = self._answer(response, started, tries.failed + 1)
            try:
                # in a thread, and out of the lane: the next request is on its way before this answer is read
                value = await loop.run_in_executor(self._reader, self._read, request, answer, read)
            except AttemptError as failure:
                await self._wait(failure, tries)
                continue
            self._last_good = answer.fetched_at
            self._lanes.widen()
            if authority is not None and token is not None:
                authority.accepted(token)
            return answer, value

    async def write(self, method: str, path: str, document: Any, *, authority: Authority) -> Answer:
        """Send a change once. Only a refused token, which is a clear "nothing was done", lets it be sent again.

        A good status is no proof that the change was made, and no error here is proof that it was not: the caller
        reads back what is there.

        Raises:
            RefusedError: a clear no.
            UnclearError: nobody can tell from the answer, or from its absence, whether the change was made.
            LoginError: the authority has no other token; nothing was done.
        """
        request = Request(method, self.source.url + path, None, None, document)
        started = self._clock()
        for attempt in (1, 2):
            token = await authority.token()
            try:
                response = await self._once(request, token)
            except AttemptError as failure:
                error = failure.error
                raise UnclearError(error.message, where=error.where, hint=_READ_BACK) from failure
            except UnreachableError as error:
                raise UnclearError(error.message, where=error.where, hint=_READ_BACK) from error
            if response.status_code != 401:
                break
            if attempt == 2:
                raise self._no(request, response)
            await authority.refused(token)
        answer = self._answer(response, started, 1)
        if is_web_page(answer.body, answer.media_type):
            raise UnclearError(
                f"a web page came in answer to a change{self._said(request, response)}",
                where=self.where(method, answer.url),
                hint=_READ_BACK,
            )
        authority.accepted(token)
        return answer

    async def _until_answered(
        self, request: Request, authority: Authority | None, tries: _Tries
    ) -> tuple[httpx.Response, Token | None]:
        """Send until an answer may hold what was asked for; trouble is waited out in the lane."""
        while True:
            token = await authority.token() if authority else None
            epoch = self._lanes.epoch
            try:
                response = await self._once(request, token)
            except AttemptError as failure:
                self._lanes.narrow(epoch)
                await self._wait(failure, tries)
                continue
            except RefusedError:
                self._last_good = self._clock()
                raise
            if response.status_code != 401 or authority is None or token is None:
                return response, token
            tries.refused += 1
            if tries.refused > _MOST_REFUSALS:
                self._last_good = self._clock()
                raise self._no(request, response)
            await authority.refused(token)

    async def _wait(self, failure: AttemptError, tries: _Tries) -> None:
        """Wait before the next attempt, longer each time.

        Raises:
            SourceError: there is no next one; it is what the failure was.
        """
        error = failure.error
        tries.failed += 1
        if tries.failed >= tries.most:
            raise type(error)(
                f"{error.message} (asked {counted(tries.failed, 'time')})", where=error.where, hint=error.hint
            ) from failure
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (tries.failed - 1)) * self._jitter.uniform(0.5, 1.0)
        if failure.wait is not None:
            wait = max(wait, min(failure.wait, LONGEST_ADVICE))
        silent = (self._clock() - self._last_good).total_seconds()
        if silent + wait > self.source.give_up_after_seconds:
            raise type(error)(
                f"{error.message} (no good answer for {silent:.0f} s)", where=error.where, hint=error.hint
            ) from failure
        await self.sleep(wait)

    def _read(self, request: Request, answer: Answer, read: Callable[[Answer], _T]) -> _T:
        try:
            if is_web_page(answer.body, answer.media_type):
                if request.is_login:  # the same page would come again, and the password with every request for it
                    raise RedirectedError(
                        "a web page came in answer to the login",
                        where=self.where(request.method, request.url),
                        hint="use an API token",
                        status=answer.status,
                    )
                raise BadAnswerError("a web page came where data was asked for")
            return read(answer)
        except BadAnswerError as error:
            said = self._in_short(request, answer.status, answer.body, answer.media_type)
            raise AttemptError(
                UnreadableError(
                    f"{error}{said}",
                    where=self.where(request.method, answer.url),
                    hint="look at what answers there: a login page, a proxy, or another version of the API",
                )
            ) from error


_READ_BACK = "read the account back: the change may or may not have been made"
