"""One connection to a source: a request is sent once, and what came of it is told apart.

What it promises: a credential goes to the configured host and to no other, and nothing it raises, and no address it
reports, carries a secret.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import quote, quote_plus

import httpx

import pipeline
from pipeline.errors import ConfigurationError, ContentError, SourceError, UnreachableError
from pipeline.settings import SourceSettings
from pipeline.sources.diagnosis import advice, explain, media_type, skew, words

__all__ = [
    "Answer",
    "AttemptError",
    "Clock",
    "Connection",
    "Query",
    "RefusedError",
    "Request",
    "Token",
    "UnclearError",
    "UnreadableError",
    "utc_now",
]

Clock = Callable[[], datetime]
Query = Mapping[str, str | int]

#: Answers that a later one may contradict: the server, or a proxy before it, has trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_REDIRECTS = 3
#: One answer may take this many times ``timeout_seconds``, which itself is between two pieces of it.
_WHOLE_ANSWER = 10


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


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


class AttemptError(Exception):
    """One attempt failed and the next may not. ``wait`` is what the server asked for, in seconds."""

    def __init__(self, error: SourceError, *, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: to which address, with which query, and a form or a JSON document in it."""

    method: str
    url: str
    query: Query | None
    form: Mapping[str, str] | None
    document: Any


class Connection:
    """Sends requests to one source, and keeps its secrets out of sight. Use it as an asynchronous context manager.

    ``requests`` counts what was sent; ``has_answered`` tells a host that is in trouble from one that is not there.
    """

    def __init__(self, source: SourceSettings, *, clock: Clock) -> None:
        self.source = source
        self.requests = 0
        self.has_answered = False
        self._clock = clock
        self._secrets: list[str] = []
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

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._http.aclose()

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

    async def _once(self, request: Request, token: Token | None) -> httpx.Response:
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
            raise AttemptError(
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
            message, hint, lasting = explain(error)
            failed = UnreachableError(self.hide(message), where=self.where(request.method, request.url), hint=hint)
            if lasting:
                raise failed from None
            raise AttemptError(failed) from None

    def _no(self, request: Request, response: httpx.Response) -> RefusedError:
        status = response.status_code
        return RefusedError(
            f"the server answers {status}{self._said(response.content, media_type(response))}",
            where=self.where(request.method, response.url),
            hint=_HINTS.get(status, "look at the address and the version of the API"),
            status=status,
        )

    def _stay_here(self, request: Request, target: httpx.URL) -> None:
        if _origin(target) != self._origin:
            raise self._redirected(request, target)

    def _redirected(self, request: Request, target: httpx.URL) -> RefusedError:
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


_HINTS = {
    401: "the credential is not accepted there",
    403: "give the account of the credential an administrator's role",
    404: "this endpoint does not exist there: check 'url' (with its tenant prefix) and 'api'",
}


def _trust(source: SourceSettings) -> ssl.SSLContext | bool:
    if not source.verify_tls:
        return False
    if source.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(source.ca_bundle))
    except (OSError, ssl.SSLError) as error:
        # By its name alone: the message is kept with the extract, which leaves this machine.
        raise ConfigurationError(
            f"the CA bundle '{source.ca_bundle.name}' cannot be read: {error.strerror or error}",
            where=f"sources.{source.name}.ca_bundle",
            hint="give 'ca_bundle' the path of a PEM file with the certificates of your CA",
        ) from error


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default
