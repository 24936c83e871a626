"""Formats values for people: dates, numbers, counted nouns, and names that may be hostile."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import urlsplit

from pipeline.wording import counted as count

__all__ = [
    "FRAMEWORKS",
    "NOTHING",
    "ago",
    "controls",
    "count",
    "dated",
    "day",
    "described",
    "grouped",
    "host",
    "listed",
    "moment",
    "number",
    "path",
    "percent",
    "printable",
    "settings",
    "shorten",
    "tied",
]

#: Dates as SQL writes them into texts.
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
#: A whole number that stands by itself, not a part of a version, a date or an id.
_LONG_NUMBER = re.compile(r"(?<![\w.,:-])[1-9]\d{3,}(?![\w.:-])")
#: Id of a check of one list -> the list.
_LIST_OF_CHECK = re.compile(r"(\w+)_(?:read|stored)")
_THE_LIST = re.compile(r"\b([Tt])h(?:e|is) list\b")
#: Lists that are parts of another one.
_PARTS = {
    "dashboards_public": "public dashboards",
    "dashboards_shares": "shares of dashboards",
    "mailed_reports_recipients": "recipients of mailed reports",
    "models_permissions": "permissions of data models",
    "models": "data models",
    "row_rules_models": "data models with row rules",
    "sign_on": "sign-on settings",
}
#: Replaces a missing value.
NOTHING = "–"

_REPLACEMENT = "\ufffd"
#: Marks that change the direction of text; a name must not rearrange its row.
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_HIDDEN = {
    code: _REPLACEMENT
    for code in (*range(0x20), *range(0x7F, 0xA0), *_TURNING)
    if code in _TURNING or (unicodedata.category(chr(code)) == "Cc" and chr(code) not in "\t\n\r")
}
#: Independent of the locale: a report reads the same on every machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Key of a framework -> its name.
FRAMEWORKS = {
    "soc2": "SOC 2",
    "iso27001": "ISO 27001",
    "pci": "PCI DSS",
    "nist": "NIST 800-53",
    "cis": "CIS",
    "hipaa": "HIPAA",
}


def printable(text: str) -> str:
    """Replace control characters and direction marks by U+FFFD, which is visible."""
    return text.translate(_HIDDEN)


def shorten(text: str | None, length: int) -> str:
    """Cut to a number of columns, an ellipsis included; a wide (East Asian) character takes two."""
    if not text:
        return NOTHING
    if len(text) * 2 <= length:
        return text
    columns = 0
    cut = 0
    for position, character in enumerate(text):
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns <= length - 1:
            cut = position + 1
        if columns > length:
            return text[:cut].rstrip() + "…"
    return text


def day(value: date | None) -> str:
    """Write a date as ``1 Nov 2026``."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}" if value else NOTHING


def dated(words: str) -> str:
    """Write each ISO date in a text as :func:`day` does."""

    def written(found: re.Match[str]) -> str:
        try:
            return day(date.fromisoformat(found[0]))
        except ValueError:  # digits in a name that only look like a date
            return found[0]

    return _ISO_DATE.sub(written, words)


def moment(value: datetime | None) -> str:
    """Write an instant as ``1 Nov 2026 00:00:05 UTC``; whole minutes without the seconds."""
    if value is None:
        return NOTHING
    return f"{day(value)} {value:{'%H:%M:%S' if value.second else '%H:%M'}} UTC"


def number(value: int | None) -> str:
    """Write a number with thousands separators."""
    return NOTHING if value is None else f"{value:,}"


def grouped(words: str | None) -> str:
    """Write each whole number of four or more digits in a text with thousands separators."""
    return _LONG_NUMBER.sub(lambda found: f"{int(found[0]):,}", words) if words else NOTHING


def described(check: Mapping[str, str]) -> str:
    """Return what a check compares, with the name of its list where the description does not have it."""
    found = _LIST_OF_CHECK.fullmatch(check["check_id"])
    if not found or " list of " in check["description"]:
        return check["description"]
    name = _PARTS.get(found[1], found[1].replace("_", " "))
    return _THE_LIST.sub(rf"\1he list of {name}", check["description"])


def tied(words: str) -> str:
    """Keep each percent sign on the line of its number."""
    return words.replace(" %", "\u00a0%")


def percent(share: float) -> str:
    """Write a share as ``12.3 %``; a share that would round to zero reads ``< 0.1 %``."""
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share * 100:.1f} %"


def ago(days: int) -> str:
    """Write how many whole days have passed."""
    return f"{count(days, 'day')} ago" if days else "the day of this report"


def controls(joined: str | None) -> list[str]:
    """Write ``soc2: CC6.2; pci: 8.2.6`` with the names of the frameworks."""
    pairs = (entry.partition(": ") for entry in listed(joined))
    return [f"{FRAMEWORKS.get(framework, framework)} {ids}" for framework, _, ids in pairs]


def host(url: str) -> str:
    """Return the host and port of an address, or the address itself where it has none."""
    return urlsplit(url).netloc or url


def path(url: str) -> str:
    """Return the path of an address, or the address itself where it has none."""
    return urlsplit(url).path or url


def listed(joined: str | None) -> list[str]:
    """Split a text that SQL joined by ``; ``."""
    return joined.split("; ") if joined else []


def settings(document: str | None) -> list[str]:
    """Write a JSON object as ``name value`` pairs in their order."""
    pairs = json.loads(document).items() if document else ()
    return [f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in pairs]
