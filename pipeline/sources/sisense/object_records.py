"""Records of dashboards, models, row rules and settings, of which only named keys are kept.

Everything here is done before an answer reaches the spool. An answer may hold secrets (the settings of single
sign-on) or values of the customer's data (the members of a row rule), so only keys that are named here are kept.

Releases name some keys differently. The kept record has one name for each: ``partyId`` also stands for ``party``,
``owner`` for ``userId``. A value of an unexpected type is kept as null, which means that it is not known.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.sources.errors import BadAnswerError
from pipeline.sources.records import read_json

__all__ = [
    "Record",
    "dashboard",
    "flag",
    "folder",
    "identity",
    "lockout",
    "mailed_report",
    "model",
    "row_rule",
    "rows_of",
    "seats",
    "shares_of",
    "sign_on",
    "tenant",
]

Record = dict[str, Any]

#: Keys under which a release may wrap a list.
_WRAPPERS = ("items", "data", "results", "values", "result")
_SEATS = ("inUseAdmins", "maxAdmins", "inUseDesigners", "maxDesigners", "inUseViewers", "maxViewers")
_SIGN_ON = ("enabled", "userCreationDisabled", "lowSecurityJwtSso", "syncGroupsFromSamlToken")
#: Kinds of single sign-on are short words. A longer text may be something else.
_LONGEST_KIND = 40


def rows_of(body: bytes) -> list[Record | None]:
    """Return the records of an answer that must be a list, or an object with a list; None for what is no object.

    Raises:
        BadAnswerError: it is something else.
    """
    document = read_json(body)
    if document is None:
        return []
    if isinstance(document, dict):
        lists = [document[key] for key in _WRAPPERS if isinstance(document.get(key), list)]
        if len(lists) != 1:
            raise BadAnswerError("the answer is not a list")
        document = lists[0]
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list")
    return [row if isinstance(row, dict) else None for row in document]


def identity(value: object) -> str | None:
    """Return an id as text: a text, a number, or the id of an object; None for anything else."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("_id", "oid", "id") if value.get(key) is not None), None)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def dashboard(row: Mapping[str, Any]) -> Record:
    """Keep what is known about a dashboard. ``isCopy`` marks a recipient's copy of it."""
    source = row.get("datasource")
    source = source if isinstance(source, dict) else {}
    owner = identity(row.get("owner"))
    user = identity(row.get("userId"))
    kept: Record = {
        "oid": identity(row.get("oid")) or identity(row.get("_id")),
        "title": _text(row.get("title")),
        "owner": owner or user,
        "parentFolder": identity(row.get("parentFolder")),
        "created": _text(row.get("created")),
        "lastUpdated": _text(row.get("lastUpdated")),
        "datasource": {key: _text(source.get(key)) for key in ("title", "address", "database", "fullname")},
    }
    kind = row.get("instanceType")
    if (kind is not None and kind != "owner") or (kind is None and owner and user and user != owner):
        return {**kept, "isCopy": True, "copyOf": user or _text(row.get("_id"))}
    shares = shares_of(row.get("shares"))
    return kept if shares is None else {**kept, "shares": shares}


def shares_of(value: object) -> list[Record] | None:
    """Keep the shares of a dashboard; return None if there is no list of them."""
    if not isinstance(value, list):
        return None
    return [
        {
            "shareId": _first_id(share, ("shareId", "partyId", "party", "id", "_id")),
            "type": _text(share.get("type")),
            "rule": _text(share.get("rule")),
            "subscribe": flag(share.get("subscribe")),
        }
        for share in value
        if isinstance(share, dict)
    ]


def folder(row: Mapping[str, Any]) -> Record:
    """Keep what is known about a folder of dashboards."""
    return {
        "oid": identity(row.get("oid")) or identity(row.get("_id")),
        "name": _text(row.get("name")) or _text(row.get("title")),
        "parentId": _first_id(row, ("parentId", "parent")),
        "owner": _first_id(row, ("owner", "userId")),
    }


def model(row: Mapping[str, Any], *, server: str | None) -> Record:
    """Keep what is known about a data model; ``server`` is None for a live one."""
    live = server is None
    kept: Record = {
        "_id": _first_id(row, ("_id", "oid", "id") if not live else ("oid", "_id", "id")),
        "title": _text(row.get("title")) or _text(row.get("name")),
        "kind": "live" if live else "extract",
        "server": server,
        "creator": _first_id(row, ("creator", "creatorId", "owner", "userId")),
        "createdUtc": _text(row.get("createdUtc")) or _text(row.get("created")),
        "lastBuiltUtc": _text(row.get("lastBuiltUtc")) or _text(row.get("lastUpdated")),
    }
    shares = model_shares(row.get("shares"))
    return kept if shares is None else {**kept, "shares": shares}


def model_shares(value: object) -> list[Record] | None:
    """Keep the shares of a model; return None if there is no list of them."""
    if not isinstance(value, list):
        return None
    return [
        {
            "partyId": _first_id(share, ("partyId", "party", "shareId")),
            "type": _text(share.get("type")),
            "permission": _text(share.get("permission")),
            "belongsToEveryoneGroup": flag(share.get("belongsToEveryoneGroup")),
        }
        for share in value
        if isinstance(share, dict)
    ]


def row_rule(row: Mapping[str, Any], model_id: str, position: int, key: bytes) -> Record:
    """Keep a row rule of a model. Its members become a count and keyed hashes.

    ``position`` counts from 1, and is part of the id of a rule that has none. ``allMembers`` and ``exclusionary`` are
    kept as null where they are null or absent, and as ``"?"`` where they have an unexpected type. ``valueHashes`` is
    null if it is not known whether the rule has members, ``shares`` if it is not known who the rule is for.
    """
    members = _members(row)
    shares = row.get("shares")
    return {
        "_id": identity(row.get("_id")) or f"{model_id}:{position}",
        "modelId": model_id,
        "table": _text(row.get("table")),
        "column": _text(row.get("column")),
        "allMembers": _flag_or_mark(row.get("allMembers")),
        "exclusionary": _flag_or_mark(row.get("exclusionary")),
        "valueCount": None if members is None else len(members),
        "valueHashes": None if members is None else _hashes(members, key),
        "shares": [_rule_party(share) for share in shares] if isinstance(shares, list) else None,
    }


def _rule_party(share: object) -> Record:
    """Keep the account or group that a row rule is for. Something that is no object is a party of unknown type."""
    share = share if isinstance(share, dict) else {}
    return {"partyId": _first_id(share, ("partyId", "party", "shareId")), "type": _text(share.get("type"))}


def _members(row: Mapping[str, Any]) -> list[object] | None:
    """Return the members of a row rule, or None if they are not known.

    Null means that there are none. A rule without the key has none if it lets everything through; else the answer
    lacks what the rule means.
    """
    members = row.get("members")
    if members is None and ("members" in row or flag(row.get("allMembers")) is True):
        return []
    return members if isinstance(members, list) else None


def seats(document: Mapping[str, Any]) -> Record | None:
    """Keep the seats of a licence; return None if the answer has no count of them."""
    counts = {key: _number(document.get(key)) for key in _SEATS}
    if all(count is None for count in counts.values()):
        return None
    return {
        "setting": "seats",
        **counts,
        "expirationDate": _text(document.get("expirationDate")),
        "trial": flag(document.get("trial")),
    }


def sign_on(document: Mapping[str, Any]) -> Record | None:
    """Keep the harmless settings of single sign-on; return None if the answer has none of them."""
    flags = {key: flag(document.get(key)) for key in _SIGN_ON}
    if all(flag is None for flag in flags.values()):
        return None
    kind = _text(document.get("type"))
    return {"setting": "sso", **flags, "type": kind if kind and len(kind) <= _LONGEST_KIND else None}


def lockout(document: Mapping[str, Any]) -> Record | None:
    """Keep the settings of the lockout after failed logins; return None if the answer does not have them."""
    kept: Record = {"setting": "lockout", "enabled": flag(document.get("enabled"))}
    for key in ("maxFailedAttempts", "failedAttemptsPeriod", "lockoutPeriod"):
        kept[key] = _number(document.get(key))
    return kept if any(value is not None for key, value in kept.items() if key != "setting") else None


def tenant(row: Mapping[str, Any]) -> Record:
    """Keep the id and the name of a tenant."""
    return {"_id": _first_id(row, ("_id", "oid", "id")), "name": _text(row.get("name"))}


def mailed_report(row: Mapping[str, Any]) -> Record:
    """Keep what is known about a report that is sent by mail. ``recipients`` is None if they are not listed."""
    recipients = row.get("recipients")
    dashboards = row.get("dashboards")
    if not isinstance(dashboards, list):
        dashboards = [row[key] for key in ("dashboard", "dashboardId") if row.get(key) is not None]
    ids = [
        _first_id(each, ("id", "oid", "_id", "dashboardId")) if isinstance(each, dict) else identity(each)
        for each in dashboards
    ]
    return {
        "_id": _first_id(row, ("_id", "id", "oid", "reportId")),
        "enabled": flag(row.get("enabled")),
        "dashboards": [each for each in ids if each is not None],
        "recipients": [_recipient(each) for each in recipients] if isinstance(recipients, list) else None,
    }


def _recipient(value: object) -> Record:
    if isinstance(value, str):
        return {"type": "email", "email": value} if "@" in value else {"type": None, "id": value}
    if not isinstance(value, dict):
        return {"type": None, "id": identity(value)}
    email = _text(value.get("email")) or _text(value.get("emailAddress"))
    kind = _text(value.get("type"))
    found = _first_id(value, ("id", "_id", "partyId", "party", "userId", "groupId", "shareId"))
    if kind is None:
        kind = "user" if value.get("userId") else "group" if value.get("groupId") else None
    if kind is None and found is None and email:
        kind = "email"
    return {"type": kind, "id": found, "email": email}


def _hashes(members: Iterable[object], key: bytes) -> list[str]:
    """Return the keyed hashes of values, sorted, so that their order does not give them away."""
    return sorted(hmac.new(key, _plain(value).encode(), hashlib.sha256).hexdigest() for value in members)


def _plain(value: object) -> str:
    """Return a value as text. A number and its text are the same value: releases write either."""
    if isinstance(value, bool) or value is None:
        return f"\0{value}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _first_id(row: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    return next((found for key in keys if (found := identity(row.get(key))) is not None), None)


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def flag(value: object) -> bool | None:
    """Return a boolean, also one that was written as text; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _flag_or_mark(value: object) -> bool | str | None:
    return None if value is None else "?" if (known := flag(value)) is None else known


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
