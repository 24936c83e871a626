"""Stands in front of every request to the page, and lets through only what it should.

It checks the host that a request names, its method and size, who sends it, and for a POST that a form of ours is its
source. Then it hands on, in the state of the request, ``visitor`` (who is signed in, or None), ``address`` (from
where) and ``form`` (the values of a POST by name). What it refuses is logged in the store of the campaign. To every
answer it adds the headers that tell a browser what our pages may do.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError
from pipeline.web.attempts import AttemptLimits, address_key
from pipeline.web.origin import PublicOrigin, network_address
from pipeline.web.refusal import RefusedRequest, RequestRefusedError

__all__ = ["SESSION", "Gate", "Guard", "answer_refusal", "path_for_log"]

_log = logging.getLogger(__name__)

#: What the cookie of a session is for, as in :meth:`PublicOrigin.cookie_name`.
SESSION = "review"
#: The largest form, a decision with a long reason, is far smaller.
MAX_BODY = 64 * 1024
#: Time to send a form in, also over a bad telephone connection.
BODY_SECONDS = 30
_MAX_FIELDS = 1_000

#: Reached without a session: style sheets, links, and signing in.
_PUBLIC = ("/static/", "/link/", "/sign-in/")
_PUBLIC_PATHS = frozenset({"/link", "/sign-in"})
#: The header with which the owners' pages bring themselves up to date.
_REFRESH = "x-refresh"
#: Their forms carry the secret of a link. There is no session yet whose token could be in them.
_WITH_LINK = frozenset({"/link", "/link/again"})

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: with that, browsers also hide from us where a form was sent from
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=()",
    "Cache-Control": "no-store",
}


class Visiting(Protocol):
    """Who is signed in, as far as the guard needs to know."""

    @property
    def email(self) -> str:
        """The e-mail address."""

    @property
    def csrf(self) -> str:
        """The token that every form of this session carries."""


class Gate(Protocol):
    """What the guard needs of a campaign's store."""

    def session(self, cookie: str, now: datetime, *, is_use: bool) -> Visiting | None:
        """Return who a session cookie belongs to, or None. ``is_use`` is False for what a page does by itself."""

    def record_refusal(self, kind: str, detail: str, address: str, now: datetime) -> None:
        """Log a refused request; ``detail`` holds no secret."""


#: Returns the page of a refusal.
RefusalPage = Callable[[Request, RefusedRequest], Response]

_HOST = RefusedRequest(
    400,
    "host",
    "",
    "This is not the address of the page",
    "The page was opened under a name that it is not served at.",
    "Open it at the address in the mail that asked you to review.",
)
_METHOD = RefusedRequest(405, "method", "", "This request is not understood", "Only GET and POST are.")
_CROSS_SITE = RefusedRequest(
    403,
    "cross_site",
    "",
    "This form was not sent from our page",
    "Another site, or a page that hides where it is, tried to act in your name. Nothing was changed.",
    "If you pressed a button on our page, open the page again in a current browser and repeat it.",
)
_CSRF = RefusedRequest(
    403,
    "csrf",
    "",
    "This form is out of date",
    "It does not belong to your present session. Nothing was changed.",
    "Open the page again and repeat the step.",
)
_SIGNED_OUT = RefusedRequest(
    401,
    "signed_out",
    "",
    "You are signed out",
    "Your session has ended. Nothing was changed; earlier decisions are saved.",
    "Sign in again, then repeat the step.",
)
_TOO_LARGE = RefusedRequest(
    413, "too_large", "", "This form is too large", "Nothing was changed.", "Shorten the reason and send it again."
)
_NOT_A_FORM = RefusedRequest(415, "not_a_form", "", "This request is not understood", "It is not a form of our page.")
_UNAVAILABLE = RefusedRequest(
    503,
    "unavailable",
    "",
    "The page cannot be used now",
    "Earlier decisions are saved.",
    "Try again in a few minutes.",
)
_TOO_SLOW = RefusedRequest(
    408, "too_slow", "", "The form did not arrive in time", "Nothing was changed.", "Send it again."
)


class Guard:
    """ASGI middleware around the whole application, so that its headers are on every answer, errors included."""

    def __init__(
        self,
        app: ASGIApp,
        gate: Gate,
        origin: PublicOrigin,
        page: RefusalPage,
        *,
        clock: Clock = utc_now,
        limits: AttemptLimits | None = None,
    ) -> None:
        self._app, self._gate, self.origin, self._page, self._clock = app, gate, origin, page, clock
        self._limits = limits or AttemptLimits()
        #: Refused requests that are logged; those beyond are answered all the same.
        self._logged = self._limits.renewed()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return
        request = Request(scope)
        request.state.guard, request.state.visitor, request.state.form = self, None, {}
        request.state.address = network_address(
            scope["client"][0] if scope.get("client") else "",
            request.headers.getlist("x-forwarded-for"),
            has_proxy=self.origin.has_proxy,
        )
        answer = self._with_headers(send)
        try:
            refused, body = await self._check(request, receive)
        except AccessReviewError as error:  # the store cannot be used
            _log.error("%s %s: %s", request.method, path_for_log(request), error)
            refused, body = self._page(request, _UNAVAILABLE), b""
        if refused is not None:
            await refused(scope, receive, answer)
            return
        await self._app(scope, _replayed(body, receive), answer)

    async def _check(self, request: Request, receive: Receive) -> tuple[Response | None, bytes]:
        """Return the answer to a request that is not handed on, or None; and the body of a POST."""
        # not request.url, of which a wrong Host header is a part
        headers, path = request.headers, str(request.scope["path"])
        if not self.origin.serves(headers.get("host", "")):
            await self._log_refusal(request, _HOST)
            return PlainTextResponse(f"{_HOST.title}. {_HOST.text} {_HOST.hint}", _HOST.status), b""
        if request.method not in {"GET", "HEAD", "POST"}:
            return await self.refuse(request, _METHOD), b""
        if path.startswith("/static/") and request.method != "POST":
            return None, b""
        if cookie := self.origin.cookie(request.scope["headers"], SESSION):
            is_use = _REFRESH not in headers
            request.state.visitor = await asyncio.to_thread(self._gate.session, cookie, self._clock(), is_use=is_use)
        visitor, is_public = request.state.visitor, _is_public(path)
        if (request.method == "POST" or is_public) and (wait := self._seconds_to_wait(request)):
            return self._limited(request, wait), b""
        if request.method != "POST":
            return (None if visitor or is_public else RedirectResponse("/sign-in", 303)), b""
        if not self._is_same_site(headers, path):
            return await self.refuse(request, _CROSS_SITE), b""
        if visitor is None and path not in _WITH_LINK:
            return await self.refuse(request, _SIGNED_OUT), b""
        body, problem = await _read_form(request, receive)
        if problem is None and visitor is not None and not _has_token(request, visitor):
            problem = _CSRF
        return (await self.refuse(request, problem) if problem else None), body

    def _is_same_site(self, headers: Headers, path: str) -> bool:
        """Return whether the browser says that a form was sent from our page, or says nothing.

        A browser that says nothing is old, or it is a program; the token in the form decides then.
        """
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin", "none"}:
            return False
        if origin == "null":  # what a page says that sends no referrer, such as that of a link
            return site == "same-origin" or (site is None and path in _WITH_LINK)
        return origin is None or origin in self.origin.origins

    async def refuse(self, request: Request, refusal: RefusedRequest) -> Response:
        """Log a refusal, count it if it may be a guess, and return its page."""
        await self._log_refusal(request, refusal)
        return self._page(request, refusal)

    async def _log_refusal(self, request: Request, refusal: RefusedRequest) -> None:
        """Log a refusal. One address fills a few lines of the log at most, so that attacks cannot fill the disk."""
        now, key, visitor = self._clock(), _key(request), request.state.visitor
        if refusal.is_guess:
            self._limits.record(key, now)
        if self._logged.seconds_to_wait(key, now):
            return
        self._logged.record(key, now)
        detail = [f"{request.method} {path_for_log(request)}", *filter(None, [refusal.detail])]
        detail += [f"signed in as {visitor.email}"] if visitor else []
        try:
            await asyncio.to_thread(
                self._gate.record_refusal, refusal.kind, "; ".join(detail), request.state.address, now
            )
        except AccessReviewError as error:  # refused all the same
            _log.error("a refused request cannot be logged: %s", error)

    def _seconds_to_wait(self, request: Request) -> int:
        is_known = request.state.visitor is not None
        return self._limits.seconds_to_wait(_key(request), self._clock(), is_known=is_known)

    def _limited(self, request: Request, seconds: int) -> Response:
        minutes = -(-seconds // 60)
        refusal = RefusedRequest(
            429,
            "limited",
            "",
            "Too many attempts",
            "Too many links or names that do not exist were tried from here.",
            f"Wait {minutes} minute{'' if minutes == 1 else 's'}, then try again.",
        )
        response = self._page(request, refusal)
        response.headers["Retry-After"] = str(seconds)
        return response

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self.origin.is_secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        return answer


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Answer a :class:`RequestRefusedError`, as a handler of exceptions of the application."""
    if not isinstance(error, RequestRefusedError):  # the application calls it for nothing else
        raise error
    guard: Guard = request.state.guard
    return await guard.refuse(request, error.refusal)


def _is_public(path: str) -> bool:
    return path in _PUBLIC_PATHS or path.startswith(_PUBLIC)


def _key(request: Request) -> str:
    """Return what a visitor's attempts are counted by. Colleagues behind one address do not block each other."""
    visitor = request.state.visitor
    return visitor.email if visitor else address_key(request.state.address)


def path_for_log(request: Request) -> str:
    """Return the path of a request without the secret of a link."""
    path = str(request.scope["path"])
    if path.startswith("/link/"):
        return "/link/…"
    return "".join(c if c.isprintable() else "\ufffd" for c in path[:200])


def _has_token(request: Request, visitor: Visiting) -> bool:
    given = request.headers.get("x-csrf-token") or request.state.form.get("csrf", "")
    return hmac.compare_digest(given.encode(), visitor.csrf.encode())


async def _read_form(request: Request, receive: Receive) -> tuple[bytes, RefusedRequest | None]:
    """Read the body of a POST into ``request.state.form``; return the body, and what is wrong with it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return b"", _NOT_A_FORM
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        return b"", _TOO_LARGE
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return b"", _TOO_SLOW
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    return b"", _TOO_LARGE
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        return b"", _TOO_SLOW
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        return b"", _NOT_A_FORM
    request.state.form = dict(fields)
    return body, None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that was read once more, and after it what the connection gives."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
