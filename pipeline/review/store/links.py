"""Links that sign a reviewer in: each for one person, valid for some days, and used once.

A link's token is its id and its last moment, signed with an Ed25519 key that is made for this one link and then
forgotten. The store keeps the public half, so that the store, or a copy of it, is not enough to make a token.
"""

from __future__ import annotations

import base64
import re
import secrets
import sqlite3
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.review.store.connections import as_text

__all__ = ["Link", "LinkRefusedError", "check_link", "issue_link", "redeem_link"]

_VERSION = 1
#: Version, id, last moment as Unix seconds, then the signature: 90 bytes, which base64 writes without padding, so
#: that every character of a token counts.
_FIELDS = struct.Struct(">H16sq")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{120}")


@dataclass(frozen=True, slots=True)
class Link:
    """A link that may be used: whom it signs in, whether as an owner of the campaign, and until when."""

    link_id: str
    email: str
    is_owner: bool
    expires_at: datetime


class LinkRefusedError(Exception):
    """A link that cannot be used.

    ``reason`` is ``invalid`` (incomplete, altered or forged), ``expired``, ``used``, ``replaced`` (by a newer link)
    or ``closed`` (the campaign is). ``email`` is None for an invalid link.
    """

    def __init__(self, reason: str, email: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.email = reason, email


def issue_link(
    connection: sqlite3.Connection, campaign: str, email: str, *, is_owner: bool, valid_days: int, now: datetime
) -> str:
    """Return the token of a new link, and revoke the unused earlier ones for the same address and purpose.

    An owner's link does not end the one in the mail to a reviewer. The token exists only in what is returned. Call it
    inside a transaction.
    """
    key = Ed25519PrivateKey.generate()
    link_id = secrets.token_bytes(16)
    expires = int((now + timedelta(days=valid_days)).timestamp())
    payload = _FIELDS.pack(_VERSION, link_id, expires)
    signature = key.sign(_signed(payload, campaign, email, is_owner=is_owner))
    connection.execute(
        "update links set replaced_at = ? "
        "where email = ? and is_owner = ? and redeemed_at is null and replaced_at is null",
        (as_text(now), email, int(is_owner)),
    )
    connection.execute(
        "insert into links (link_id, email, is_owner, public_key, issued_at, expires_at) values (?, ?, ?, ?, ?, ?)",
        (
            link_id.hex(),
            email,
            int(is_owner),
            key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
            as_text(now),
            as_text(datetime.fromtimestamp(expires, UTC)),
        ),
    )
    return base64.urlsafe_b64encode(payload + signature).decode()


def check_link(connection: sqlite3.Connection, campaign: str, token: str, *, is_closed: bool, now: datetime) -> Link:
    """Return the link of a token that could be redeemed now. Nothing is changed.

    ``is_closed`` says whether the campaign is closed; its owners may still look at it.

    Raises:
        LinkRefusedError: it could not.
    """
    if not _TOKEN.fullmatch(token):
        raise LinkRefusedError("invalid")
    content = base64.urlsafe_b64decode(token)
    payload, signature = content[: _FIELDS.size], content[_FIELDS.size :]
    version, link_id, expires = _FIELDS.unpack(payload)
    row = connection.execute(
        "select email, is_owner, public_key, redeemed_at, replaced_at from links where link_id = ?", (link_id.hex(),)
    ).fetchone()
    if version != _VERSION or row is None:
        raise LinkRefusedError("invalid")
    email, is_owner, public_key, redeemed_at, replaced_at = row
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            signature, _signed(payload, campaign, email, is_owner=bool(is_owner))
        )
    except InvalidSignature:
        raise LinkRefusedError("invalid") from None
    if redeemed_at is not None:
        raise LinkRefusedError("used", email)
    if replaced_at is not None:
        raise LinkRefusedError("replaced", email)
    if now.timestamp() >= expires:
        raise LinkRefusedError("expired", email)
    if is_closed and not is_owner:
        raise LinkRefusedError("closed", email)
    return Link(link_id.hex(), email, bool(is_owner), datetime.fromtimestamp(expires, UTC))


def redeem_link(connection: sqlite3.Connection, campaign: str, token: str, *, is_closed: bool, now: datetime) -> Link:
    """Use a link up, and return it. Call it inside a transaction that may write. Raises as :func:`check_link`."""
    link = check_link(connection, campaign, token, is_closed=is_closed, now=now)
    used = connection.execute(
        "update links set redeemed_at = ? where link_id = ? and redeemed_at is null", (as_text(now), link.link_id)
    )
    if used.rowcount != 1:  # another request was faster
        raise LinkRefusedError("used", link.email)
    return link


def _signed(payload: bytes, campaign: str, email: str, *, is_owner: bool) -> bytes:
    """Return what a link's key signs: also whom it is for, so that a changed row is useless."""
    return b"\0".join([b"access-review link", payload, campaign.encode(), email.encode(), b"%d" % is_owner])
