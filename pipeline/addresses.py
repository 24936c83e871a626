"""Reads e-mail addresses as people paste them: with a name, as a link, with invisible characters.

A text with exactly one address gives that address; any other text is refused. A wrong address would turn a leaver's
account into an orphaned one, and could let a reviewer decide on their own access.
"""

from __future__ import annotations

import itertools
import re
from urllib.parse import unquote

from pipeline.tables.cells import visible

__all__ = ["PLAIN", "AddressError", "read_address", "read_addresses"]

#: Addresses that need no cleaning, as most do. The pattern works in Python and in DuckDB.
PLAIN = r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"

_PLAIN = re.compile(PLAIN)
_LABEL = r"[^\s@.<>()\[\]\\,;:\"'`/!?#&=|]+"
_ADDRESS = re.compile(rf"(?!\.)[^\s@<>()\[\]\\,;:\"|]+(?<!\.)@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
_NAMED = re.compile(r"([^<>;|]*)<([^<>]*)>")
#: ``SMTP:`` is how a directory writes its proxy addresses.
_LINK = re.compile(r"(?:mailto|smtp):", re.IGNORECASE)
#: Separators of a list of addresses; a comma inside quotes is part of a name.
_SEPARATOR = re.compile(r"""[;|\n]|,(?=(?:[^"]*"[^"]*")*[^"]*$)""")


class AddressError(ValueError):
    """A text that is not exactly one e-mail address."""


def read_address(text: str) -> str:
    """Return the one e-mail address in a text, in composed form and with its case unchanged.

    Raises:
        AddressError: there is no address, or more than one.
    """
    if _PLAIN.fullmatch(text):
        return text
    found = visible(text)
    if named := _NAMED.fullmatch(found):
        name, found = named[1].strip(" \"'"), named[2].strip()
        if "@" in name and name.lower() != found.lower():
            raise AddressError(f"'{_shown(text)}' holds more than one e-mail address")
    if link := _LINK.match(found):
        found = unquote(found[link.end() :].partition("?")[0]).strip()
    if found[:1] in {"'", '"'} and found[-1:] == found[:1]:
        found = found[1:-1].strip()
    if not _ADDRESS.fullmatch(found):
        raise AddressError(f"'{_shown(text)}' is not an e-mail address")
    return found


def read_addresses(text: str) -> list[str]:
    """Return every e-mail address in a list that is separated by semicolons, commas, bars or spaces.

    Raises:
        AddressError: a part of the list is not an address.
    """
    found: list[str] = []
    name = ""  # of the address that follows, as in: Ek, Ann <ann@example.com>
    parts = [part for part in map(visible, _SEPARATOR.split(text)) if part]
    for part, following in itertools.zip_longest(parts, parts[1:], fillvalue=""):
        if "@" not in part and "<" in following:
            name += f"{part}, "
        elif "<" in part:
            found.append(read_address(name + part))
            name = ""
        else:
            found += map(read_address, part.split())
    return list(dict.fromkeys(found))


def _shown(text: str) -> str:
    """Return a text on one line, with invisible characters as their codes."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
