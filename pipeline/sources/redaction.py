"""Redaction: keep secrets out of every text, in whatever encoding a server sends them back.

A server or a proxy may repeat a credential in an error: escaped for HTML, percent-encoded in either case, in Base64,
folded into lines, or cut off. So texts are decoded before they are compared, in every order of a few decodings. A
text from a server is withheld as a whole if it repeats even a part of a secret.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

__all__ = ["BLOT", "LEAST_SECRET", "Redaction", "carries", "clean"]

#: The text that replaces a secret.
BLOT = "***"
#: A shorter credential may be an ordinary word, and is not searched for in records.
LEAST_SECRET = 12
#: A shorter secret is searched for verbatim only: decoded forms would match by chance.
_LEAST_DECODED = 4
#: So many characters in a row give a secret away; of a short secret, half of it.
_RUN = 8
_MOST_READINGS = 32
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
_WHITE_BYTES = b" \t\r\n\v\f"
#: What a decoding would change, and the bytes with which it begins.
_ENCODED = re.compile(rb"%[0-9A-Fa-f]{2}|&#?[A-Za-z0-9]+;|=[0-9A-Fa-f]{2}|\\")
_BEGINNINGS = (b"%", b"&", b"=", b"\\")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.)|\n)", re.DOTALL)
_SOFT_BREAK = re.compile(r"=\r?\n")
_PRINTABLE = re.compile(r"=([0-9A-Fa-f]{2})")


def _unescape(text: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[3] or "", text
    )


def _unquote_printable(text: str) -> str:
    return _PRINTABLE.sub(lambda found: chr(int(found[1], 16)), _SOFT_BREAK.sub("", text))


_DECODERS: tuple[Callable[[str], str], ...] = (
    unquote,
    lambda text: unquote(text, encoding="latin-1"),
    html.unescape,
    _unescape,
    _unquote_printable,
    lambda text: text.replace("+", " "),
)


class Redaction:
    """The secrets of one client, to be kept out of every text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        for secret in secrets:
            self.add(secret)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secrets that must not be kept or shown."""
        return tuple(self._secrets)

    def add(self, secret: str) -> None:
        """Add a value to keep out of every text."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)

    def hide(self, text: str) -> str:
        """Return a text of this program with every secret in it replaced."""
        return clean(text, self._secrets)

    def repeats(self, text: str) -> bool:
        """Return whether a text from a server repeats a secret, or a part that would give it away."""
        if any(secret in text for secret in self._secrets):
            return True
        decoded = [_forms(secret) for secret in self._secrets if len(_squeezed(secret)) >= _LEAST_DECODED]
        return bool(decoded) and any(form.shows_in(reading) for reading in _readings(text) for form in decoded)


def clean(text: str, secrets: Iterable[str]) -> str:
    """Return a text with these secrets replaced, or wholly replaced if they cannot be separated from the rest.

    A secret of very few characters stays: replacing it inside every word would give it away.
    """
    secrets = tuple(secret for secret in secrets if len(secret) >= _LEAST_DECODED)
    for secret in secrets:
        for written in _spellings(secret):
            text = text.replace(written, BLOT)
    decoded = [_forms(secret) for secret in secrets if len(_squeezed(secret)) >= _LEAST_DECODED]
    is_readable = bool(decoded) and any(form.stands_in(reading) for reading in _readings(text) for form in decoded)
    return BLOT if is_readable else text


def carries(body: bytes, secrets: Iterable[str]) -> bool:
    """Return whether a JSON document may contain one of these secrets. Every page is checked, so this is bytewise."""
    decoded = [_forms(secret) for secret in secrets]
    if not decoded:
        return False
    folded = body.translate(None, _WHITE_BYTES)
    if any(needle in folded for form in decoded for needle in form.needles):
        return True
    encoded = b"\n".join(_encoded_texts(body)).decode("utf-8", "replace")
    return bool(encoded) and any(form.stands_in(reading) for reading in _readings(encoded) for form in decoded)


def _encoded_texts(body: bytes) -> set[bytes]:
    """Return the texts between two quotes that a decoding would change. Searching for single bytes is the fastest."""
    found: set[bytes] = set()
    for beginning in _BEGINNINGS:
        at = body.find(beginning)
        while at >= 0:
            start, end = body.rfind(b'"', 0, at), body.find(b'"', at)
            end = len(body) if end < 0 else end
            if start >= 0 and _ENCODED.search(body, start, end):
                found.add(body[start:end])
            at = body.find(beginning, end)
    return found


class _Forms:
    """The forms of one secret in a text that was decoded and stripped of white space."""

    def __init__(self, secret: str) -> None:
        plain = _squeezed(secret)
        data = secret.encode()
        encoded = [*_in_base64(data), data.hex()]
        folded = [form for form in map(_squeezed, encoded) if len(form) >= _RUN]
        self.whole = (plain, *folded)
        run = max(_LEAST_DECODED, min(_RUN, len(plain) // 2))
        self._runs = {run: _cut(plain, run)}
        self._runs[_RUN] = self._runs.get(_RUN, frozenset()).union(*(_cut(form, _RUN) for form in folded))
        written = {*_spellings(secret), *encoded, data.hex().upper()}
        self.needles = [needle for text in written if (needle := text.encode().translate(None, _WHITE_BYTES))]

    def stands_in(self, reading: str) -> bool:
        return any(form in reading for form in self.whole)

    def shows_in(self, reading: str) -> bool:
        return self.stands_in(reading) or any(
            not runs.isdisjoint(reading[at : at + length] for at in range(len(reading) - length + 1))
            for length, runs in self._runs.items()
        )


@lru_cache(maxsize=256)
def _forms(secret: str) -> _Forms:
    return _Forms(secret)


def _cut(text: str, length: int) -> frozenset[str]:
    return frozenset(text[at : at + length] for at in range(len(text) - length + 1))


def _spellings(secret: str) -> list[str]:
    """Return the common encodings of a secret, which are replaced in place, longest first."""
    quoted = {quote(secret, safe=""), quote_plus(secret), quote(secret)}
    lower = {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in quoted}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return sorted({secret, *quoted, *lower, *escaped, html.escape(secret)}, key=lambda text: (-len(text), text))


def _in_base64(data: bytes) -> list[str]:
    """Return the forms of a value inside a longer one in Base64, by the number of bytes before it."""
    found = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + data).decode()
        text = text[
            -(-before * 8 // 6) : (before + len(data)) * 8 // 6
        ]  # without the characters that depend on the neighbours
        found += [text, text.replace("+", "-").replace("/", "_")]
    return [text for text in found if len(text) >= _RUN]


def _readings(text: str) -> set[str]:
    """Return a text as it came and after each order of decodings, without white space."""
    found = [text]
    for reading in found:  # grows during the loop
        for decode in _DECODERS:
            further = decode(reading)
            if further not in found and len(found) < _MOST_READINGS:
                found.append(further)
    return {_squeezed(reading) for reading in found}


def _squeezed(text: str) -> str:
    return _UNSEEN.sub("", text).casefold()
