"""The manifest beside the files of an application: when they were exported, and how many rows they have."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError

__all__ = ["Declared", "DeclaredFile", "load_document", "read_manifest"]

_HINT = "correct it, or let the export write it again; docs/other-applications.md shows one"


_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Files that were exported longer ago give a warning, and so does a time further in the future.
_RECENT = timedelta(days=7)
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """What the manifest says about one file: rows by table (or by list of an OAA file), and the hash of its bytes."""

    rows: Mapping[str, int] = field(default_factory=dict)
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """The manifest, as far as it says something. ``name`` is that of its file."""

    name: str
    is_present: bool = False
    application: str | None = None
    extracted_at: str | None = None
    extracted_by: str | None = None
    files: Mapping[str, DeclaredFile] = field(default_factory=dict)

    def doubt_of_date(self, now: datetime) -> str | None:
        """Return what is wrong with ``extracted_at`` when the files are read; None if it is recent, or not given."""
        if self.extracted_at is None:
            return None
        what = f"'extracted_at' in {self.name}"
        try:
            found = datetime.fromisoformat(self.extracted_at)
        except ValueError:
            return f"{what} is '{self.extracted_at[:40]}', which is not an ISO 8601 time; it is not checked"
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if moment > now + _CLOCK_TOLERANCE:
            return f"{what} is {moment.day} {moment:%b %Y, %H:%M} UTC, which is in the future"
        if now - moment > _RECENT:
            return (
                f"the files were exported on {moment.day} {moment:%b %Y} ({what}), {(now - moment).days} days ago: "
                "the access of today may differ"
            )
        return None

    def doubt_of_application(self, source: str) -> str | None:
        """Return that the manifest names another application than the configuration; None if the names agree."""
        if self.application is None or _letters(self.application) == _letters(source):
            return None
        return (
            f"{self.name} says that these are the files of '{self.application[:60]}', and the source is named "
            f"'{source}'"
        )


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def read_manifest(path: Path) -> Declared:
    """Read a manifest; if there is none, return one that declares nothing.

    Raises:
        ContentError: it cannot be read, is not JSON, or has a value of the wrong type.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Declared(path.name)
    except OSError as error:
        raise ContentError(f"{path.name} cannot be read: {error.strerror}", where=str(path), hint=_HINT) from error
    document = load_document(content, path)
    listed = document.get("files", [])
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise _wrong(path, "'files' must be a list of objects with name, rows and sha256")
    files: dict[str, DeclaredFile] = {}
    for entry in listed:
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise _wrong(path, "an entry of 'files' has no name")
        if name in files:
            raise _wrong(path, f"'files' has two entries for {name}")
        files[name] = DeclaredFile(_rows(path, name, entry.get("rows")), _sha256(path, name, entry.get("sha256")))
    return Declared(
        path.name,
        is_present=True,
        application=_text(path, document, "application"),
        extracted_at=_text(path, document, "extracted_at"),
        extracted_by=_text(path, document, "extracted_by"),
        files=files,
    )


def load_document(content: bytes, path: Path) -> dict[str, Any]:
    """Return the object that a JSON file consists of.

    Raises:
        ContentError: it is not one; the message has the line and the column.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ContentError(
            f"{path.name} is not UTF-8 text: line {line}",
            where=str(path),
            hint="save it as UTF-8, or export it again",
        ) from error
    except json.JSONDecodeError as error:
        raise ContentError(
            f"{path.name} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            where=str(path),
            hint="export it again: a file that ends too early was cut off",
        ) from error
    except RecursionError as error:
        raise ContentError(f"{path.name} is nested too deeply", where=str(path), hint="export it again") from error
    if not isinstance(document, dict):
        raise ContentError(f"{path.name} is not a JSON object", where=str(path), hint="export it again")
    return document


def _rows(path: Path, name: str, value: Any) -> dict[str, int]:
    if value is None:
        return {}
    counts = value if isinstance(value, dict) else {name: value}
    for count in counts.values():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise _wrong(path, f"the rows of {name} must be a whole number, and {json.dumps(count)} is not")
    return counts


def _sha256(path: Path, name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _wrong(path, f"the sha256 of {name} must be text")
    written = value.strip().lower() if value else ""
    if written and not _SHA256.fullmatch(written):
        raise _wrong(path, f"the sha256 of {name} is not a SHA-256, which has 64 digits of 0-9 and a-f")
    return written or None


def _text(path: Path, document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(path, f"'{key}' must be text")
    return value.strip() or None if value else None


def _wrong(path: Path, message: str) -> ContentError:
    return ContentError(f"{path.name}: {message}", where=str(path), hint=_HINT)
