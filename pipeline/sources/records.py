"""Records: the content of one page of a list, and what of it may be kept.

Paging needs only the ids. Almost every page is plain and is read by a fast parser; any other page is read again by a
careful one. The body is kept as it came. Only if it contains a secret, it is rewritten without the secret.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NoReturn

import orjson

from pipeline.sources.errors import BadAnswerError
from pipeline.sources.redaction import LEAST_SECRET, carries, clean

__all__ = ["Key", "Records", "cut_positions", "read_json", "read_records", "without_secrets"]

#: An id as paging keeps it: 24 hexadecimal digits as a number, which takes a quarter of the memory; others verbatim.
Key = int | str

_NO_ID = (None,)
_first = itemgetter(0)
_OBJECT_ID = re.compile("[0-9a-f]{24}").fullmatch
_SECRET_WORDS = ("password", "passwd", "passphrase", "secret", "apikey", "privatekey", "credential")
_SECRET_ENDINGS = ("token", "hash", "pwd", "salt")
#: Half of a surrogate pair, as JavaScript writes a name that was cut inside a character. DuckDB refuses the file.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: Python refuses to read numbers of more than 4,300 digits; real numbers are far shorter.
_MOST_DIGITS = 400
#: Python reads and writes JSON recursively, within about 1,000 levels for the whole call stack. A page is plain up to
#: the first number of levels. If the careful parser runs out of levels, anything deeper than the second is not kept.
_MOST_PLAIN_LEVELS, _KEPT_LEVELS = 600, 200
_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_TOO_DEEP = b'"(nested too deep to be kept)"'


@dataclass(frozen=True, slots=True)
class Records:
    """One page. ``keys`` has one entry a record, in order: its id, or None if it has no usable id.

    ``kept`` is the body to keep: a JSON array in UTF-8, as it came unless ``redacted``. ``sha256`` is the hash of the
    body as it came. ``cut`` are the positions, from 1, of records too deeply nested to be kept whole.
    """

    keys: tuple[Key | None, ...]
    kept: bytes
    redacted: bool
    sha256: str
    cut: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[Key, ...]:
        """Return the usable ids."""
        return tuple(key for key in self.keys if key is not None)

    @property
    def without_id(self) -> int:
        """Return the number of records that have no usable id."""
        return self.keys.count(None)

    @property
    def items(self) -> int:
        """Return the number of records."""
        return len(self.keys)

    def id_at(self, position: int) -> str | None:
        """Return the id of the record at a position, counted from 1, as it is kept; None if it cannot be read."""
        record = json.loads(self.kept)[position - 1]
        record_id = (record.get("_id") or record.get("id")) if isinstance(record, dict) else None
        return record_id if isinstance(record_id, str) else None


def read_records(body: bytes, secrets: Iterable[str] = ()) -> Records:
    """Read a body that must be a JSON array. ``secrets`` are credentials that must not be kept.

    An element that is not an object counts as a record without an id, and does not affect the others on its page.

    Raises:
        BadAnswerError: it is not an array, or it was truncated.
    """
    hidden = [secret for secret in secrets if len(secret) >= LEAST_SECRET]
    return _read_plain(body, hidden) or _read_with_care(body, hidden)


def _read_plain(body: bytes, hidden: Sequence[str]) -> Records | None:
    """Read a well-formed page that certainly contains no secret; return None for any other."""
    if (b"\\" in body and b"\\u" in body) or carries(body, hidden):
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, list):
        return None
    found: list[Key] = []
    for item in document:
        record_id = item.get("_id") if isinstance(item, dict) else None
        if not isinstance(record_id, str) or not record_id:
            return None
        found.append(int(record_id, 16) if _OBJECT_ID(record_id) else record_id)
    keys = _keys(document)
    if keys is None or any(map(_is_secret, keys)):
        return None
    return Records(tuple(found), body, redacted=False, sha256=hashlib.sha256(body).hexdigest())


def _keys(document: list[Any]) -> set[str] | None:
    """Return the keys of all objects in it, at any depth; None if it is too deep for a plain page."""
    keys: set[str] = set()
    left = document
    levels = 1
    while left:
        levels += 1
        if levels > _MOST_PLAIN_LEVELS:
            return None
        below: list[Any] = []
        for value in left:
            if isinstance(value, dict):
                keys.update(value)
                inner = value.values()
            else:
                inner = value
            for one in inner:
                if type(one) is dict or type(one) is list:  # twice as fast as isinstance, in the innermost loop
                    below.append(one)  # noqa: PERF401  faster than a comprehension here
        left = below
    return keys


def _read_with_care(body: bytes, hidden: Sequence[str]) -> Records:
    sha256 = hashlib.sha256(body).hexdigest()
    try:
        return _read_odd(body, hidden, sha256)
    except RecursionError:
        records = _read_odd(_shorten(body), hidden, sha256)
        return replace(records, redacted=True, cut=cut_positions(records.kept, body))


def _read_odd(body: bytes, hidden: Sequence[str], sha256: str) -> Records:
    keys: set[str] = set()

    def shrink(pairs: list[tuple[str, Any]]) -> tuple[Any, ...]:
        keys.update(map(_first, pairs))
        for key, value in pairs:
            if key == "_id":
                return (value,)
        return _NO_ID

    document = _parse(body, shrink)
    if not isinstance(document, list):
        raise BadAnswerError(_unexpected(body))
    found: list[Key | None] = []
    for item in document:
        record_id = item[0] if isinstance(item, tuple) else None  # objects became tuples, and nothing else did
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)  # as SQL will read it
        if not isinstance(record_id, str) or not record_id:
            found.append(None)
        else:
            found.append(int(record_id, 16) if _OBJECT_ID(record_id) else record_id)
    kept, redacted = _clean(body, keys, hidden)
    return Records(tuple(found), kept, redacted, sha256)


def _shorten(body: bytes) -> bytes:
    """Replace everything that is nested too deep with a note.

    Raises:
        BadAnswerError: the body was truncated.
    """
    parts: list[bytes] = []
    depth, kept_to = 0, 0
    for token in _STRUCTURE.finditer(body):
        mark = token[0]
        if mark in {b"[", b"{"}:
            depth += 1
            if depth == _KEPT_LEVELS + 1:
                parts.append(body[kept_to : token.start()])
        elif mark in {b"]", b"}"}:
            if depth == _KEPT_LEVELS + 1:
                parts.append(_TOO_DEEP)
                kept_to = token.end()
            depth -= 1
    if depth > _KEPT_LEVELS:
        raise BadAnswerError("the body is not JSON, or was cut short")
    return b"".join([*parts, body[kept_to:]])


def cut_positions(kept: bytes, came: bytes) -> tuple[int, ...]:
    """Return the positions, from 1, of the records of a page that are not kept whole."""
    if kept.count(_TOO_DEEP) <= came.count(_TOO_DEEP):  # the note may also be a name in the data
        return ()
    return tuple(
        position for position, record in enumerate(json.loads(kept), 1) if _TOO_DEEP in json.dumps(record).encode()
    )


def read_json(body: bytes) -> Any:
    """Parse a body that must be JSON.

    Anything nested too deep to be read is replaced with a note, which :func:`cut_positions` finds.

    Raises:
        BadAnswerError: it is not JSON.
    """
    try:
        return _parse(body, None)
    except RecursionError:
        return _parse(_shorten(body), None)


def _parse(body: bytes, hook: Any) -> Any:
    """Parse a body. Raises ``RecursionError`` if it is nested too deep."""
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=hook,
            parse_constant=_refuse,
            parse_int=_whole_number,
            parse_float=_fraction,
        )
    except ValueError as error:
        raise BadAnswerError("the body is not JSON, or was cut short") from error


def _whole_number(digits: str) -> int | str:
    """Read a number; one of absurd length stays text, so that the record can be kept."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _fraction(digits: str) -> float | str:
    """Read a number; one too large for a float stays text, because it could not be written again."""
    value = float(digits)
    return value if math.isfinite(value) else digits


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _unexpected(body: bytes) -> str:
    document = read_json(body)
    if isinstance(document, dict):
        return "the answer is an object instead of a list"
    return f"the answer is {type(document).__name__} instead of a list"


def _clean(body: bytes, keys: set[str], hidden: Sequence[str]) -> tuple[bytes, bool]:
    secret_keys = {key for key in keys if _is_secret(key)}
    found = hidden if carries(body, hidden) else ()
    if not secret_keys and not found and not _SURROGATE.search(body):
        return body, False
    document = _parse(body, None)
    is_changed = _remove_secrets(document, secret_keys, found)
    text, whole = _written(document)
    if not is_changed and whole == text:
        return body, False
    return whole.encode(), True


def _written(document: Any) -> tuple[str, str]:
    """Return a document as JSON, and the same with unpaired surrogates replaced."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise BadAnswerError("the body contains a number that is not JSON") from error
    return text, text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_secrets(document: Any, secrets: Iterable[str] = ()) -> bytes:
    """Remove passwords, tokens, hashes and these credentials from a parsed document; return it as JSON in UTF-8.

    Raises:
        BadAnswerError: it contains a number that is not JSON.
    """
    hidden = [secret for secret in secrets if len(secret) >= LEAST_SECRET]
    keys: set[str] = set()
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            keys.update(value)
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    secret_keys = set(filter(_is_secret, keys))
    kept = _written(document)[1].encode()
    found = hidden if hidden and carries(kept, hidden) else ()
    if not secret_keys and not found:
        return kept
    _remove_secrets(document, secret_keys, found)
    return _written(document)[1].encode()


def _is_secret(key: str) -> bool:
    plain = key.lower().replace("_", "").replace("-", "")
    return plain.endswith(_SECRET_ENDINGS) or any(word in plain for word in _SECRET_WORDS)


def _remove_secrets(document: Any, secret_keys: set[str], secrets: Sequence[str]) -> bool:
    """Remove secrets in place, at any depth without recursion; return whether there were any."""
    is_changed = False
    left: list[Any] = [document]
    while left:
        holder = left.pop()
        pairs = list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder))
        for key, value in pairs:
            if isinstance(holder, dict) and key in secret_keys and _holds_text(value):
                del holder[key]
                is_changed = True
                continue
            if isinstance(value, dict | list):
                left.append(value)
            elif secrets and isinstance(value, str) and (cleaned := clean(value, secrets)) != value:
                holder[key] = cleaned
                is_changed = True
            if secrets and isinstance(key, str) and (name := clean(key, secrets)) != key:
                holder[name] = holder.pop(key)
                is_changed = True
    return is_changed


def _holds_text(value: Any) -> bool:
    """Return whether a value is a secret, and not a permission about secrets: true, false, or an object of those."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            left.extend(inner.values())
        elif isinstance(inner, list):
            left.extend(inner)
        elif inner is not None and not isinstance(inner, bool):
            return True
    return False
