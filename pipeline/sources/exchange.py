"""Requests to a source, its answers, and the tokens they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["Query", "Reply", "Request", "Token", "fits_a_header"]

Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` follows the URL of the source; ``form`` or ``document`` (JSON) is its body.

    The answer to a login may repeat the password in an unforeseen form, so ``is_login`` keeps it out of every error.
    ``is_private`` does the same for answers with other secrets, or with values of the customer's data.
    """

    path: str
    query: Query | None = None
    method: str = "GET"
    form: Mapping[str, str] | None = None
    document: Any = None
    is_login: bool = False
    is_private: bool = False
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token, and how it is sent. ``generation`` distinguishes it from the one it replaced."""

    value: str
    generation: int
    scheme: str = "Bearer"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a source. ``url`` contains no secret; times are UTC; ``attempts`` includes the failed ones.

    ``next_link`` is the address in ``Link: <...>; rel="next"`` (RFC 8288), None without one.
    """

    url: str
    status: int
    body: bytes
    media_type: str
    skew_seconds: float | None
    started_at: datetime
    fetched_at: datetime
    elapsed_ms: int
    attempts: int
    next_link: str | None = None


def fits_a_header(token: str) -> bool:
    """Return whether a token can be sent in a header: printable ASCII without blanks."""
    return bool(token) and all("!" <= character <= "~" for character in token)
