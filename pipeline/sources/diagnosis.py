"""Diagnosis: what an answer, or the lack of one, says to the person who has to do something about it."""

from __future__ import annotations

import html
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pipeline.sources.records import BadAnswerError, read_json

__all__ = ["advice", "explain", "media_type", "skew", "words"]


def media_type(response: httpx.Response) -> str:
    """Return the media type of an answer, without its parameters, in lower case."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def skew(response: httpx.Response, now: datetime) -> float | None:
    """Return how far the server's clock is ahead of ours, in seconds, at the resolution of its header."""
    try:
        theirs = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return (theirs - now.replace(microsecond=0)).total_seconds()


def advice(response: httpx.Response, now: datetime) -> float | None:
    """Return how long the server asks to wait, in seconds, null where it does not say."""
    text = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text)) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def explain(error: Exception) -> tuple[str, str, bool]:
    """Return what happened to a connection, what to do, and whether it will happen again."""
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("CERTIFICATE_VERIFY_FAILED] ")[2].partition(" (_ssl")[0] or text
        return (
            f"the server's certificate is not trusted: {reason}",
            "set 'ca_bundle' to the CA that signed it, or 'verify_tls = false' where that risk is accepted",
            True,
        )
    if "WRONG_VERSION_NUMBER" in text or "wrong version number" in text:
        return (
            "the server does not speak TLS at this port",
            "check whether 'url' is http or https, and its port",
            True,
        )
    if isinstance(error, httpx.LocalProtocolError):  # its text would show the header that cannot be sent
        return "the request cannot be sent", "check the token in the environment for stray characters", True
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return (
            "the server did not answer in time",
            "raise 'timeout_seconds', or lower 'page_size' and 'concurrency'",
            False,
        )
    if isinstance(error, httpx.ConnectError):
        if "Name or service not known" in text or "name resolution" in text or "nodename" in text:
            return "the host name is not known", "check 'url', and that this machine can resolve it", False
        return (
            f"no connection: {text}",
            "check 'url' (http or https, and the port), the network and any firewall between",
            False,
        )
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refuses: {text}", "check HTTPS_PROXY and NO_PROXY", False
    return f"the connection broke: {text}", "check the network, and any proxy between", False


def words(body: bytes, media_type: str) -> str:
    """Return what an answer says in words: the title of a page, the message of an error; empty if nothing."""
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
