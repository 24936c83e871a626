"""Diagnosis: turns an answer, or a connection without one, into a message and a hint."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pipeline.sources.errors import BadAnswerError
from pipeline.sources.network import Route
from pipeline.sources.records import read_json

__all__ = [
    "SSO",
    "Trouble",
    "advice",
    "classify",
    "duration",
    "exhausted",
    "explain",
    "is_web_page",
    "media_type",
    "refused_by_proxy",
    "skew",
    "words",
]

SSO = "this instance signs in by single sign-on"
#: The kinds of answers about a credential, and the words that identify them.
_REASONS = (
    ("the client must prove possession of a key (DPoP)", ("dpop",)),
    ("a scope is not granted (invalid_scope)", ("invalid_scope",)),
    ("the client, its secret or its key is not accepted (invalid_client)", ("invalid_client",)),
    ("the client may not obtain tokens this way (unauthorized_client)", ("unauthorized_client",)),
    (SSO, (r"\bsso\b", "single sign", "saml", "openid", "oidc", "identity provider")),
    ("a second factor is required", (r"\bmfa\b", r"\b2fa\b", "two.?factor", "multi.?factor", "one.?time")),
    ("too many attempts", ("too many", "rate limit", "throttl")),
    ("the account is locked", ("locked", "blocked")),
    ("the password or token has expired", ("expire",)),
    ("the account is switched off", ("disabled", "inactive", "deactivated", "not active", "suspended")),
    ("the licence does not allow it", ("licen[cs]e",)),
    ("wrong user name or password", ("password", "credential", "user ?name", "bad login", "login failed")),
    ("the token is not accepted", ("token", "jwt", "bearer", "unauthori[sz]ed", "authenticat")),
    ("not allowed", ("forbidden", "denied", "permission", "not allowed")),
)
_UNKNOWN_HOST = ("Name or service not known", "name resolution", "nodename", "No address associated", "getaddrinfo")
#: Texts of httpx and h11 that do not quote the answer; all their other texts may.
_BREAKS = {
    "Server disconnected": "the server closed it without an answer",
    "peer closed connection": "the answer was cut short",
}


def media_type(response: httpx.Response) -> str:
    """Return the media type of an answer, without its parameters, in lower case."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def skew(response: httpx.Response, now: datetime) -> float | None:
    """Return how far the server's clock is ahead of ours, in seconds, at the resolution of its header."""
    theirs = _moment(response.headers.get("date", ""))
    return None if theirs is None else (theirs - now.replace(microsecond=0)).total_seconds()


def advice(response: httpx.Response, now: datetime) -> float | None:
    """Return how long the server asks to wait, in seconds, or None if it does not say.

    A moment is compared with the server's own clock, from the Date header of the same answer. Without
    ``Retry-After``, the end of a rate limit counts.
    """
    text = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text)) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    moment = _moment(text)
    if moment is None:
        return _until_reset(response, now)
    return max(0.0, (moment - (_moment(response.headers.get("date", "")) or now)).total_seconds())


def exhausted(response: httpx.Response, now: datetime) -> float | None:
    """Return how long no further request is allowed, in seconds, if this answer used up a rate limit; else None.

    Okta sends ``X-Rate-Limit-Remaining`` and ``X-Rate-Limit-Reset`` with every answer:
    https://developer.okta.com/docs/reference/rl-best-practices/
    """
    return _until_reset(response, now) if response.headers.get("x-rate-limit-remaining", "").strip() == "0" else None


def _until_reset(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds until a rate limit is reset, None if it is not stated. The header counts from 1970."""
    text = response.headers.get("x-rate-limit-reset", "").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    return max(0.0, int(text) - (_moment(response.headers.get("date", "")) or now).timestamp())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def duration(seconds: float) -> str:
    """Return a duration in a fitting unit: ``24 h``, ``90 s``, ``12 days``."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds)} s"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure of a connection: the message, the hint, and whether a retry would fail the same way."""

    message: str
    hint: str
    is_lasting: bool = False


def explain(error: Exception, route: Route) -> Trouble:
    """Return what happened to a connection. The text names the kind of trouble, and never quotes the other side."""
    text = str(error) or type(error).__name__
    if isinstance(error, httpx.ProxyError):
        return refused_by_proxy(route, int(text[:3]) if text[:3].isdigit() else None)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("CERTIFICATE_VERIFY_FAILED] ")[2].partition(" (_ssl")[0] or text
        trusted = f" (the trusted CAs come from {route.trusted_by})" if route.trusted_by else ""
        return Trouble(
            f"the server's certificate is not trusted: {reason}{trusted}",
            "set 'ca_bundle' to the CA that signed it, or 'verify_tls = false' where that risk is accepted",
            is_lasting=True,
        )
    if "WRONG_VERSION_NUMBER" in text or "wrong version number" in text:
        return Trouble(
            "the server does not speak TLS at this port",
            "check whether 'url' is http or https, and its port",
            is_lasting=True,
        )
    if isinstance(error, httpx.LocalProtocolError):  # its text would show the header, which holds the token
        return Trouble(
            "the request cannot be sent", "check the token in the environment for stray characters", is_lasting=True
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and "SSL" not in text:
        return _unconnected(text if isinstance(error, httpx.ConnectError) else "it did not answer in time", route)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Trouble(
            "the server did not answer in time", "raise 'timeout_seconds', or lower 'page_size' and 'concurrency'"
        )
    return _broken(error, text, route)


def _unconnected(text: str, route: Route) -> Trouble:
    is_unknown = any(words in text for words in _UNKNOWN_HOST)
    if route.proxy is not None:
        reason = "its host name is not known" if is_unknown else f"no connection to it: {text}"
        return _in_the_way(route, reason)
    if is_unknown:
        return Trouble("the host name is not known", "check 'url', and that this machine can resolve it")
    if text == "it did not answer in time":
        return Trouble("the server did not answer in time", "check 'url', the network and any firewall between")
    return Trouble(
        f"no connection: {text}", "check 'url' (http or https, and the port), the network and any firewall between"
    )


def _broken(error: Exception, text: str, route: Route) -> Trouble:
    """Return how a connection broke. A protocol error quotes the answer, which may contain a credential."""
    if isinstance(error, httpx.RemoteProtocolError):
        fits = (reason for start, reason in _BREAKS.items() if text.startswith(start))
        text = next(fits, "the answer is not valid HTTP")
    elif isinstance(error, httpx.DecodingError):
        text = "the answer cannot be decompressed"
    if route.proxy is not None:
        return _in_the_way(route, f"the connection through it broke: {text}")
    return Trouble(f"the connection broke: {text}", "check the network, and any proxy between")


def refused_by_proxy(route: Route, status: int | None) -> Trouble:
    """Return that a proxy refused. Its text is not shown: some proxies repeat the credential."""
    if status == 407:
        return _in_the_way(
            route, "it requires a credential, or does not accept the one it was given (407)", lasting=True
        )
    if status is None:
        return _in_the_way(route, "it does not let the connection through")
    return _in_the_way(route, f"it answers {status}", lasting=status < 500)


def _in_the_way(route: Route, reason: str, *, lasting: bool = False) -> Trouble:
    variable = route.proxy.variable if route.proxy is not None else "the environment"
    return Trouble(
        f"a proxy from {variable} is in the way: {reason}",
        f"correct {variable}, or put {route.host} on NO_PROXY",
        lasting,
    )


def is_web_page(body: bytes, media_type: str) -> bool:
    """Return whether an answer is a web page."""
    return "html" in media_type or body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html", b"<head"))


def classify(body: bytes, media_type: str) -> str:
    """Return the kind of an answer and its length, to be appended to a message; never its text."""
    if not body.strip():
        return ""
    if is_web_page(body, media_type):
        return f": a web page ({len(body)} bytes)"
    said = words(body, media_type).lower()
    found = (reason for reason, signs in _REASONS if any(re.search(sign, said) for sign in signs))
    return f": {next(found, 'an unknown reason')} ({len(body)} bytes, not shown)"


def words(body: bytes, media_type: str) -> str:
    """Return the text of an answer: the title of a page, or the message of an error; empty if there is none."""
    text = body[:4000].decode("utf-8", "replace")
    if "html" in media_type or text.lstrip()[:1] == "<":
        found = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"web page '{html.unescape(found[1]).strip()}'" if found else "web page"
    try:
        document = read_json(body)
    except BadAnswerError:
        return " ".join(text.split()) if media_type.startswith("text/") else ""
    for candidate in (document.get("error"), document) if isinstance(document, dict) else ():
        if isinstance(candidate, str):
            return candidate
        if isinstance(candidate, dict):
            for key in ("message", "detail", "title", "httpMessage"):
                if isinstance(candidate.get(key), str):
                    return " ".join(candidate[key].split())
    return ""
