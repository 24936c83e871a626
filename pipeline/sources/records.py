"""Records: what one page of a list holds, and what of it may be kept.

Paging needs the ids and nothing else. Almost every page is plain, and is read at the speed of its bytes; one that is
odd in any way is read again with care. The body is kept as it came; only where it carries a secret is it rewritten
without it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NoReturn

import orjson

__all__ = ["BadAnswerError", "Key", "Records", "read_json", "read_records", "without_secrets"]

#: An id as paging holds it: 24 hexadecimal digits as a number, a quarter of the memory, anything else verbatim.
Key = int | str

_NO_ID = (None,)
_first = itemgetter(0)
_OBJECT_ID = re.compile("[0-9a-f]{24}").fullmatch
_SECRET_WORDS = ("password", "passwd", "passphrase", "secret", "apikey", "privatekey", "credential")
_SECRET_ENDINGS = ("token", "hash", "pwd", "salt")
#: Half of a surrogate pair, as JavaScript writes a name that was cut inside a character; DuckDB refuses the file.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: A credential shorter than this may be an ordinary word, and is looked for only under the keys of secrets.
_LEAST_SECRET = 12
#: Python refuses to read numbers of more than 4,300 digits; no number here has a reason to come near that.
_MOST_DIGITS = 400


class BadAnswerError(Exception):
    """The answer is not what was asked for, and the next one may be: it is asked again like a 503."""


@dataclass(frozen=True, slots=True)
class Records:
    """One page. ``ids`` are those that can be used; ``without_id`` counts the records that have none or junk.

    ``kept`` is the body to write down: a JSON array in UTF-8. It is what came, unless ``redacted``. ``sha256`` is the
    hash of what came.
    """

    ids: tuple[Key, ...]
    without_id: int
    kept: bytes
    redacted: bool
    sha256: str

    @property
    def items(self) -> int:
        """Return the number of records."""
        return len(self.ids) + self.without_id


def read_records(body: bytes, secrets: Iterable[str] = ()) -> Records:
    """Read a body that must be a JSON array of objects. ``secrets`` are credentials that must not be kept.

    Raises:
        BadAnswerError: it is not such an array, or it was cut short.
    """
    hidden = [secret for secret in secrets if len(secret) >= _LEAST_SECRET]
    return _read_plain(body, hidden) or _read_with_care(body, hidden)


def _read_plain(body: bytes, hidden: Sequence[str]) -> Records | None:
    """Read a page that is what a page should be, and surely carries no secret; null for any other."""
    if (b"\\" in body and b"\\u" in body) or _carries(body, hidden):
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
    if any(map(_is_secret, _keys(document))):
        return None
    return Records(tuple(found), 0, body, redacted=False, sha256=hashlib.sha256(body).hexdigest())


def _keys(document: list[Any]) -> set[str]:
    """Return the keys of all objects in it, at any depth."""
    keys: set[str] = set()
    left = document
    while left:
        below: list[Any] = []
        for value in left:
            if isinstance(value, dict):
                keys.update(value)
                inner = value.values()
            else:
                inner = value
            for one in inner:
                if type(one) is dict or type(one) is list:  # twice as fast as isinstance, on the hottest line
                    below.append(one)  # noqa: PERF401  so is this
        left = below
    return keys


def _read_with_care(body: bytes, hidden: Sequence[str]) -> Records:
    keys: set[str] = set()

    def shrink(pairs: list[tuple[str, Any]]) -> tuple[Any, ...]:
        keys.update(map(_first, pairs))
        for key, value in pairs:
            if key == "_id":
                return (value,)
        return _NO_ID

    document = _parse(body, shrink)
    if not isinstance(document, list):
        raise BadAnswerError(_instead(body))
    found: list[Key] = []
    for item in document:
        if not isinstance(item, tuple):  # every object has become a tuple, and nothing else can
            raise BadAnswerError("the list holds something that is not a record")
        record_id = item[0]
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)  # as SQL will read it
        if isinstance(record_id, str) and record_id:
            found.append(int(record_id, 16) if _OBJECT_ID(record_id) else record_id)
    kept, redacted = _clean(body, keys, hidden)
    return Records(tuple(found), len(document) - len(found), kept, redacted, hashlib.sha256(body).hexdigest())


def read_json(body: bytes) -> Any:
    """Parse a body that must be JSON.

    Raises:
        BadAnswerError: it is not.
    """
    return _parse(body, None)


def _parse(body: bytes, hook: Any) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=hook, parse_constant=_refuse, parse_int=_whole_number
        )
    except RecursionError as error:
        raise BadAnswerError("the body is nested too deep to be read") from error
    except ValueError as error:
        raise BadAnswerError("the body is not JSON, or was cut short") from error


def _whole_number(digits: str) -> int | str:
    """Read a number; one of absurd length stays text, because Python refuses it and the record is not at fault."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _instead(body: bytes) -> str:
    document = read_json(body)
    if isinstance(document, dict):
        return "an object came where a list was asked for"
    return f"{type(document).__name__} came where a list was asked for"


def _carries(body: bytes, hidden: Sequence[str]) -> bool:
    written = {secret.encode() for secret in hidden} | {json.dumps(secret)[1:-1].encode() for secret in hidden}
    return any(secret in body for secret in written)


def _clean(body: bytes, keys: set[str], hidden: Sequence[str]) -> tuple[bytes, bool]:
    secret_keys = {key for key in keys if _is_secret(key)}
    if not secret_keys and not _carries(body, hidden) and not _SURROGATE.search(body):
        return body, False
    document = read_json(body)
    cleaned = _without(document, secret_keys, hidden)
    text, whole = _written(cleaned)
    if cleaned == document and whole == text:
        return body, False
    return whole.encode(), True


def _written(document: Any) -> tuple[str, str]:
    """Return a document as JSON, and the same with halves of characters replaced."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise BadAnswerError("the body holds a number that is not JSON") from error
    return text, text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_secrets(document: Any, secrets: Iterable[str] = ()) -> bytes:
    """Return a parsed document as JSON in UTF-8, without passwords, tokens, hashes and these credentials.

    Raises:
        BadAnswerError: it holds a number that is not JSON.
    """
    hidden = [secret for secret in secrets if len(secret) >= _LEAST_SECRET]
    secret_keys: set[str] = set()
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            secret_keys.update(filter(_is_secret, value))
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return _written(_without(document, secret_keys, hidden))[1].encode()


def _is_secret(key: str) -> bool:
    plain = key.lower().replace("_", "").replace("-", "")
    return plain.endswith(_SECRET_ENDINGS) or any(word in plain for word in _SECRET_WORDS)


def _without(value: Any, secret_keys: set[str], secrets: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _without(inner, secret_keys, secrets)
            for key, inner in value.items()
            if key not in secret_keys or not _holds_text(inner)
        }
    if isinstance(value, list):
        return [_without(inner, secret_keys, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
    return value


def _holds_text(value: Any) -> bool:
    """Tell a secret from a permission about secrets, which is true, false, or an object of those."""
    if isinstance(value, dict):
        return any(_holds_text(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_holds_text(inner) for inner in value)
    return not (value is None or isinstance(value, bool))
