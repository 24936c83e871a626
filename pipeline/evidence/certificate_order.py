"""Puts the certificates of a time stamp in the order that DER demands, which the library insists on.

RFC 5652 lets an authority list them in any order, because the signature is over other parts of the stamp. OpenSSL
writes the signer's certificate first, and then those of its issuers, whatever DER says of the order of a set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["in_der_order"]

#: The tags of the certificates and of the revocation lists in ``SignedData`` (RFC 5652, section 5.1).
_SETS = (0xA0, 0xA1)
#: In the first byte, a tag that goes on in the next one; in the second, a length that is not known beforehand.
_LONG_TAG, _INDEFINITE = 0x1F, 0x80


class _Element(NamedTuple):
    """Where an element begins, its content begins, and both end."""

    tag: int
    begin: int
    content: int
    end: int


def in_der_order(answer: bytes) -> bytes:
    """Return the answer of an authority with its certificates in the order of DER; other bytes stay as they are."""
    ordered = bytearray(answer)
    try:
        [response] = _elements(answer, 0, len(answer))
        _status, token = _elements(answer, response.content, response.end)
        _kind, wrapper = _elements(answer, token.content, token.end)
        [signed] = _elements(answer, wrapper.content, wrapper.end)
        for part in _elements(answer, signed.content, signed.end):
            if part.tag in _SETS:
                each = [answer[one.begin : one.end] for one in _elements(answer, part.content, part.end)]
                ordered[part.content : part.end] = b"".join(sorted(each))
    except (ValueError, IndexError):  # not a stamp, or not in DER: the library says so
        return answer
    return bytes(ordered)


def _elements(data: bytes, at: int, end: int) -> Iterator[_Element]:
    while at < end:
        tag, length, content = data[at], data[at + 1], at + 2
        if tag & _LONG_TAG == _LONG_TAG or length == _INDEFINITE:
            raise ValueError("not in DER")
        if length > _INDEFINITE:
            content += length - _INDEFINITE
            length = int.from_bytes(data[at + 2 : content], "big")
        if content + length > end:
            raise ValueError("cut off")
        yield _Element(tag, at, content, content + length)
        at = content + length
