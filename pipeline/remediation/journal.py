"""The journal of one plan: what is about to be sent, written down before it is sent, and what became of it.

One JSON object a line, appended and forced to the disk before the program goes on, in ``<plan>.journal.jsonl`` beside
the plan; so it survives a kill at any step, and the database is not held while a server is slow. A last line without
its end was being written when the program was killed: it announced nothing that was sent, and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

__all__ = ["Entry", "Journal", "journal_path", "opened", "read"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one change stands. ``state`` is ``sending``, or one of those of ``review.changes``.

    ``previous`` is what the account had before the change was sent; null while nothing was sent.
    """

    state: str
    at: str
    by: str
    email: str
    is_single_operator: bool
    previous: Mapping[str, Any] | None
    detail: str | None


class Journal:
    """The entries by change, the last of each; :meth:`write` adds one for good."""

    def __init__(self, file: int, entries: dict[str, Entry]) -> None:
        self.entries = entries
        self._file = file

    def write(self, change_id: str, entry: Entry) -> None:
        """Append an entry and return when it is on the disk."""
        document = {"change_id": change_id, **{name: getattr(entry, name) for name in Entry.__slots__}}
        _append(self._file, document)
        self.entries[change_id] = entry


def journal_path(plan: Path) -> Path:
    """Return where the journal of a plan is."""
    return plan.with_name(plan.name + ".journal.jsonl")


@contextmanager
def opened(plan: Path, plan_id: str) -> Iterator[Journal]:
    """Open the journal of a plan for writing, alone; make it if it is missing.

    Raises:
        UsageError: another process has it, it belongs to another plan, or it cannot be read or written.
    """
    path = journal_path(plan)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise _unusable(path, error.strerror or "unknown") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "another process is applying this plan", where=str(path), hint="wait until it has ended"
            ) from error
        whole, entries = _parse(path, plan_id)
        os.ftruncate(file, whole)
        if whole == 0:
            _append(file, {"plan_id": plan_id})
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        yield Journal(file, entries)
    finally:
        os.close(file)


def read(plan: Path, plan_id: str) -> dict[str, Entry]:
    """Return the last entry of each change; none where nothing was applied yet. Raises as :func:`opened`."""
    path = journal_path(plan)
    return _parse(path, plan_id)[1] if path.exists() else {}


def _parse(path: Path, plan_id: str) -> tuple[int, dict[str, Entry]]:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    entries: dict[str, Entry] = {}
    try:
        lines = [json.loads(line) for line in content[:whole].splitlines()]
        if lines and lines[0]["plan_id"] != plan_id:
            raise UsageError(
                "the journal belongs to another plan, or the plan was changed after it had been applied",
                where=str(path),
                hint="restore the plan that it belongs to, or make a new plan under another name",
            )
        for line in lines[1:]:
            change_id = line.pop("change_id")
            entries[change_id] = Entry(**line)
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(path, str(error)) from error
    return whole, entries


def _append(file: int, document: Mapping[str, Any]) -> None:
    content = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the journal cannot be used: {reason}",
        where=str(path),
        hint="correct its permissions; it is the record of what was sent, so never delete it",
    )
