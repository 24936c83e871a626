"""Failures: an answer that cannot be used, or no answer at all, as an error that says what to do.

No error repeats a secret, even where a server or a proxy echoed one.
"""

from __future__ import annotations

from datetime import datetime

import httpx

from pipeline.settings import SourceSettings
from pipeline.sources.diagnosis import Trouble, advice, classify, duration, media_type, words
from pipeline.sources.errors import AttemptError, RedirectedError, RefusedError, UnreachableError, UnreadableError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.network import Route
from pipeline.sources.redaction import BLOT, Redaction

__all__ = ["LONGEST_ADVICE", "Failures", "origin_of", "requested_url"]

#: The longest ``Retry-After`` that is obeyed, in seconds.
LONGEST_ADVICE = 120.0
_HINTS = {
    401: "check the credential: the server does not accept it there",
    403: "give the account of the credential an administrator's role",
    404: "this endpoint does not exist there: check 'url' (with its tenant prefix) and 'api'",
}


class Failures:
    """Makes the errors of one source."""

    def __init__(self, source: SourceSettings, route: Route, redaction: Redaction) -> None:
        self._source = source
        self._route = route
        self._redaction = redaction
        self._origin = origin_of(httpx.URL(source.url))

    def where(self, method: str, url: str | httpx.URL) -> str:
        """Return the place of an error: the source and the request."""
        return self._redaction.hide(f"source '{self._source.name}', {method} {url}")

    def unreachable(self, request: Request, trouble: Trouble) -> UnreachableError:
        """Return the error for a request that got no answer."""
        return UnreachableError(self._redaction.hide(trouble.message), where=self._place(request), hint=trouble.hint)

    def temporary(self, request: Request, response: httpx.Response, now: datetime) -> AttemptError:
        """Return the error for trouble that may pass. It names a requested wait that is too long to wait here."""
        message = f"the server answers {response.status_code}{self.said(request, response)}"
        hint = "wait until the server has recovered, or lower 'concurrency' and 'page_size'"
        wait = advice(response, now)
        if wait is not None and wait > LONGEST_ADVICE:
            message += f"; the server asks to wait {duration(wait)}"
            hint = f"run this again in {duration(wait)}, or ask the operators of the server or its proxy"
        if self._is_proxied_openly and self._route.proxy is not None:
            hint += f"; a proxy from {self._route.proxy.variable} is in the way, and may have answered in its place"
        where = self.where(request.method, requested_url(response))
        return AttemptError(UnreachableError(message, where=where, hint=hint), wait=wait)

    def refused(self, request: Request, response: httpx.Response) -> RefusedError:
        """Return the error for a definite no."""
        status = response.status_code
        return RefusedError(
            f"the server answers {status}{self.said(request, response)}",
            where=self.where(request.method, requested_url(response)),
            hint=_HINTS.get(status, "check the address and the version of the API"),
            status=status,
        )

    def redirected(self, request: Request, target: httpx.URL | None) -> RefusedError:
        """Return the error for a redirect that is not followed. ``target`` is None if it cannot be read."""
        place = "an address that cannot be read"
        if target is not None:
            place = f"{target.scheme}://{target.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
            if origin_of(target) == self._origin:
                place = "another page of the same server"
        if self._redaction.repeats(place):
            place = BLOT
        message = f"the server redirects the request to {place}; the redirect was not followed"
        where = self._place(request)
        if target is not None and origin_of(target)[1] == self._origin[1] and origin_of(target) != self._origin:
            hint = f"correct 'url', so that it begins with {place}"
            return RefusedError(message, where=where, hint=hint, status=302)
        hint = "set 'url' to the real address of the API; behind single sign-on, use an API token"
        return RedirectedError(message, where=where, hint=hint, status=302)

    def login_page(self, request: Request, answer: Reply) -> RedirectedError:
        """Return the error for a web page in answer to a login."""
        return RedirectedError(
            "the login was answered with a web page",
            where=self._place(request),
            hint="use an API token",
            status=answer.status,
        )

    def unreadable(self, request: Request, answer: Reply, reason: str) -> UnreadableError:
        """Return the error for an answer that a reader rejected."""
        said = self._in_short(request, answer.status, answer.body, answer.media_type)
        return UnreadableError(
            f"{reason}{said}",
            where=self.where(request.method, answer.url),
            hint="check what answers there: a login page, a proxy, or another version of the API",
        )

    def said(self, request: Request, response: httpx.Response) -> str:
        """Return what an answer says, to be appended to a message."""
        return self._in_short(request, response.status_code, response.content, media_type(response))

    def _in_short(self, request: Request, status: int, body: bytes, media_type: str) -> str:
        """Return what an answer says, or only its kind where its words may repeat a credential.

        Only the kind is shown of answers to a login, of private answers, of answers about a credential, and where a
        proxy may have answered. Other answers are quoted, unless they repeat a part of a secret.
        """
        said = words(body, media_type)
        if request.is_login or request.is_private or status in (401, 407) or self._is_proxied_openly:
            return classify(body, media_type)
        if self._redaction.repeats(said):
            return f": its text repeats a credential and is not shown ({len(body)} bytes)"
        return f": {said[:200]}" if said else ""

    def _place(self, request: Request) -> str:
        return self.where(request.method, self._source.url + request.path)

    @property
    def _is_proxied_openly(self) -> bool:
        """Return whether a proxy can answer in place of the server, as it can without TLS."""
        return self._route.proxy is not None and self._source.url.startswith("http:")


def requested_url(response: httpx.Response) -> httpx.URL:
    """Return the URL of the request that was answered, as it may be shown."""
    shown: httpx.URL = response.extensions.get("shown", response.request.url)
    return shown


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address."""
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default
