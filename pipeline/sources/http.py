"""HTTP as the extract needs it: one request, asked until it is answered or its budget is spent.

What it promises: a credential goes to the configured host and to no other; nothing it raises, and no address it
reports, carries a secret; fewer requests are in flight when the server pushes back; and what went wrong is told apart
by what the reader does next: :class:`~pipeline.errors.UnreachableError` (no answer), :class:`RefusedError` (a clear
no), :class:`UnreadableError` (an answer that makes no sense).
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, quote_plus

import httpx

import pipeline
from pipeline.errors import ConfigurationError, ContentError, SourceError, UnreachableError
from pipeline.settings import SourceSettings
from pipeline.sources.diagnosis import advice, explain, media_type, skew, words
from pipeline.sources.lanes import Lanes
from pipeline.sources.records import BadAnswerError

__all__ = [
    "Answer",
    "Authority",
    "Client",
    "Clock",
    "RefusedError",
    "Sleep",
    "Token",
    "UnclearError",
    "UnreadableError",
]

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]
Query = Mapping[str, str | int]
_T = TypeVar("_T")

#: Answers that a later one may contradict: the server, or a proxy before it, has trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0
#: The longest ``Retry-After`` that is obeyed to the second, in seconds.
_LONGEST_ADVICE = 120.0
_REDIRECTS = 3
#: How often one request may find that the token in force has just expired.
_MOST_REFUSALS = 10
#: One answer may take this many times ``timeout_seconds``, which itself is between two pieces of it.
_WHOLE_ANSWER = 10


class RefusedError(ContentError):
    """The source said no, and would say it again. ``status`` is its HTTP status."""

    def __init__(self, message: str, *, where: str, hint: str, status: int) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status


class UnclearError(SourceError):
    """A change was sent, and nothing tells whether it was made: read back before anything else."""


class UnreadableError(ContentError):
    """The source answered to the end of the budget, and never with what was asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A bearer token. ``generation`` tells an old one from the one that replaced it."""

    value: str
    generation: int


class Authority(Protocol):
    """Who hands out tokens, and hears what became of them."""

    async def token(self) -> Token:
        """Return the token in force."""

    def accepted(self, token: Token) -> None:
        """Hear that a request with this token was answered."""

    async def refused(self, token: Token) -> None:
        """Hear that this token was refused; return when there is another one, or raise."""


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


class _AttemptError(Exception):
    """One attempt failed and the next may not. ``wait`` is what the server asked for, in seconds."""

    def __init__(self, error: SourceError, *, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


@dataclass(slots=True)
class _Tries:
    """What one request has been through: failed attempts, of at most ``most``, and tokens that were refused."""

    most: int
    failed: int = 0
    refused: int = 0


class Client:
    """Asks one source. Use it as an asynchronous context manager, in one event loop.

    ``requests`` counts what was sent; ``has_answered`` tells a host that is in trouble from one that is not there.
    """

    def __init__(self, source: SourceSettings, *, clock: Clock, sleep: Sleep) -> None:
        self.source = source
        self.requests = 0
        self.has_answered = False
        self._clock = clock
        self._sleep = sleep
        self._jitter = random.SystemRandom()
        self._secrets: list[str] = []
        self._lanes = Lanes(source.concurrency)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read")
        self._last_good = clock()
        self._http = httpx.AsyncClient(
            verify=_trust(source),
            timeout=httpx.Timeout(source.timeout_seconds, pool=None),
            limits=httpx.Limits(max_connections=source.concurrency + 1, keepalive_expiry=15),
            headers={
                "User-Agent": f"sisense-access-review/{pipeline.__version__}",
                "Accept": "application/json",
            },
            # a cookie would be a second credential beside the token
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )
        self._origin = _origin(httpx.URL(source.url))

    async def __aenter__(self) -> Client:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    @property
    def narrowest(self) -> int:
        """Return the fewest requests that the server's trouble left in flight."""
        return self._lanes.narrowest

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not be kept or shown."""
        return tuple(self._secrets)

    def keep_secret(self, value: str) -> None:
        """Never show this value in anything that is raised."""
        if value and value not in self._secrets:
            self._secrets.append(value)

    def where(self, method: str, url: str | httpx.URL) -> str:
        """Return the place of an error: the source and the request."""
        return self.hide(f"source '{self.source.name}', {method} {url}")

    def hide(self, text: str) -> str:
        """Return the text with every secret in it blotted out, however it was encoded."""
        for secret in self._secrets:
            for written in {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}:
                text = text.replace(written, "***")
        return text

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
    ) -> tuple[Answer, _T]:
        """Ask until ``read`` accepts the answer; return both the answer and what was read.

        ``read`` raises :class:`BadAnswerError` for an answer that must be asked for again.

        Raises:
            RefusedError: a clear no (most of 4xx, and redirects to elsewhere).
            UnreadableError: the budget is spent, and the last answer made no sense.
            UnreachableError: the budget is spent without an answer.
            LoginError: the authority has no other token.
        """
        request = _Request(method, self.source.url + path, query, form, document)
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
            except _AttemptError as failure:
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
        request = _Request(method, self.source.url + path, None, None, document)
        started = self._clock()
        for attempt in (1, 2):
            token = await authority.token()
            try:
                response = await self._once(request, token)
            except _AttemptError as failure:
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
        if "html" in answer.media_type:
            raise UnclearError(
                f"a web page came in answer to a change{self._said(answer.body, answer.media_type)}",
                where=self.where(method, answer.url),
                hint=_READ_BACK,
            )
        authority.accepted(token)
        return answer

    async def _until_answered(
        self, request: _Request, authority: Authority | None, tries: _Tries
    ) -> tuple[httpx.Response, Token | None]:
        """Send until an answer may hold what was asked for; trouble is waited out in the lane."""
        while True:
            token = await authority.token() if authority else None
            epoch = self._lanes.epoch
            try:
                response = await self._once(request, token)
            except _AttemptError as failure:
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

    async def _wait(self, failure: _AttemptError, tries: _Tries) -> None:
        """Wait before the next attempt, longer each time.

        Raises:
            SourceError: there is no next one; it is what the failure was.
        """
        error = failure.error
        tries.failed += 1
        if tries.failed >= tries.most:
            raise type(error)(
                f"{error.message} (asked {tries.failed} times)", where=error.where, hint=error.hint
            ) from failure
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (tries.failed - 1)) * self._jitter.uniform(0.5, 1.0)
        if failure.wait is not None:
            wait = max(wait, min(failure.wait, _LONGEST_ADVICE))
        silent = (self._clock() - self._last_good).total_seconds()
        if silent + wait > self.source.give_up_after_seconds:
            raise type(error)(
                f"{error.message} (no good answer for {silent:.0f} s)", where=error.where, hint=error.hint
            ) from failure
        await self._sleep(wait)

    def _read(self, request: _Request, answer: Answer, read: Callable[[Answer], _T]) -> _T:
        try:
            if "html" in answer.media_type:
                raise BadAnswerError("a web page came where data was asked for")
            return read(answer)
        except BadAnswerError as error:
            said = self._said(answer.body, answer.media_type)
            raise _AttemptError(
                UnreadableError(
                    f"{error}{said}",
                    where=self.where(request.method, answer.url),
                    hint="look at what answers there: a login page, a proxy, or another version of the API",
                )
            ) from error

    async def _once(self, request: _Request, token: Token | None) -> httpx.Response:
        url = httpx.URL(request.url, params=request.query) if request.query else httpx.URL(request.url)
        for _ in range(_REDIRECTS + 1):
            response = await self._send(request, url, token)
            self.has_answered = True
            status = response.status_code
            if not response.is_redirect:
                break
            target = response.url.join(response.headers["location"])
            self._stay_here(request, target)
            if request.method != "GET" and status not in (307, 308):
                raise self._redirected(request, target)
            url = target
        else:
            raise self._redirected(request, url)
        if status in _PASSING:
            raise _AttemptError(
                UnreachableError(
                    f"the server answers {status}{self._said(response.content, media_type(response))}",
                    where=self.where(request.method, response.url),
                    hint="wait until the server has recovered, or lower 'concurrency' and 'page_size'",
                ),
                wait=advice(response, self._clock()),
            )
        if not response.is_success and not (status == 401 and token is not None):
            raise self._no(request, response)
        return response

    async def _send(self, request: _Request, url: httpx.URL, token: Token | None) -> httpx.Response:
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
            message, hint, lasting = explain(error)
            failed = UnreachableError(self.hide(message), where=self.where(request.method, request.url), hint=hint)
            if lasting:
                raise failed from None
            raise _AttemptError(failed) from None

    def _no(self, request: _Request, response: httpx.Response) -> RefusedError:
        status = response.status_code
        return RefusedError(
            f"the server answers {status}{self._said(response.content, media_type(response))}",
            where=self.where(request.method, response.url),
            hint=_HINTS.get(status, "look at the address and the version of the API"),
            status=status,
        )

    def _stay_here(self, request: _Request, target: httpx.URL) -> None:
        if _origin(target) != self._origin:
            raise self._redirected(request, target)

    def _redirected(self, request: _Request, target: httpx.URL) -> RefusedError:
        place = f"{target.scheme}://{target.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
        return RefusedError(
            f"the server sends the request on to {self.hide(place)}; it was not followed",
            where=self.where(request.method, request.url),
            hint="set 'url' to the address the API really has; behind single sign-on use an API token",
            status=302,
        )

    def _answer(self, response: httpx.Response, started: datetime, attempts: int) -> Answer:
        now = self._clock()
        return Answer(
            url=self.hide(str(response.request.url)),
            status=response.status_code,
            body=response.content,
            media_type=media_type(response),
            skew_seconds=skew(response, now),
            started_at=started,
            fetched_at=now,
            elapsed_ms=round((now - started).total_seconds() * 1000),
            attempts=attempts,
        )

    def _said(self, body: bytes, media_type: str) -> str:
        """Return the server's own words, short and without secrets, to put behind a message."""
        said = words(body, media_type)
        return f": {self.hide(said)[:200]}" if said else ""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: Query | None
    form: Mapping[str, str] | None
    document: Any


_HINTS = {
    401: "the credential is not accepted there",
    403: "give the account of the credential an administrator's role",
    404: "this endpoint does not exist there: check 'url' (with its tenant prefix) and 'api'",
}


_READ_BACK = "read the account back: the change may or may not have been made"


def _trust(source: SourceSettings) -> ssl.SSLContext | bool:
    if not source.verify_tls:
        return False
    if source.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(source.ca_bundle))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the CA bundle cannot be read: {error}",
            where=str(source.ca_bundle),
            hint="give 'ca_bundle' the path of a PEM file with the certificates of your CA",
        ) from error


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default
