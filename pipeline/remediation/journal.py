"""Journals of changes: each is announced before it is sent, and its result is added afterwards.

A journal has one JSON object on each line, which is forced to the disk before the program goes on. It therefore
survives a kill at any step, and the database is not held open while a server is slow. An incomplete last line was
being written when the program was killed; its change was not sent, and the line is cut off.

A plan has a journal of its own, ``<plan>.journal.jsonl``, beside the first copy of it that was applied. Changes
without a plan share ``<database>.journal.jsonl``.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError, SourceError, UsageError
from pipeline.remediation.waiting import locked
from pipeline.sources.accounts import Writer
from pipeline.sources.errors import RefusedError, UnclearError

__all__ = ["Attempt", "CommandJournal", "Journal", "JournalEntry", "journal_path", "opened", "plan_path", "read"]

_ENDING = ".journal.jsonl"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The state of one change: ``sending``, or a state of ``review.changes``.

    ``previous`` is the account's value before the change was sent, or None if nothing was sent.
    """

    state: str
    at: str
    by: str
    email: str
    is_single_operator: bool
    previous: Mapping[str, Any] | None
    detail: str | None


class Journal:
    """The journal of a plan: the last entry of each change; :meth:`write` appends another."""

    def __init__(self, path: Path, file: int, entries: dict[str, JournalEntry]) -> None:
        self.path = path
        self.entries = entries
        self._file = file

    def write(self, change_id: str, entry: JournalEntry) -> None:
        """Append an entry and return when it is on the disk."""
        document = {"change_id": change_id, **{name: getattr(entry, name) for name in JournalEntry.__slots__}}
        _append(self._file, document)
        self.entries[change_id] = entry


class CommandJournal:
    """The journal of changes without a plan, which all commands share.

    A change has a line before each of its requests (``sending``), one after it (``answered``, ``refused`` or
    ``unclear``), and a last one with the command's result, when the account or group was read back. The lines of a
    change share a ``change_id``. A change without its last line was interrupted, and its result is unknown.
    """

    def __init__(self, path: Path, command: str, source: str, *, clock: Clock = utc_now) -> None:
        self.path = path
        self.is_used = False
        self._common = {"command": command, "source": source, "os_user": _os_user()}
        self._clock = clock

    @contextmanager
    def attempt(
        self, writer: Writer, subject: Mapping[str, Any], previous: Mapping[str, Any] | None = None
    ) -> Iterator[Attempt]:
        """Record what the writer sends in the block, with its subject and the subject's values before.

        Raises:
            UsageError: the journal cannot be written; a request that cannot be announced is not sent.
        """
        attempt = Attempt(self, {"by": writer.principal.user_name, **subject}, previous)
        unwitnessed, writer.witness = writer.witness, attempt.witness
        try:
            yield attempt
        except BaseException as error:
            if isinstance(error, CancelledError | KeyboardInterrupt):
                why = "interrupted"
            else:
                why = error.message if isinstance(error, AccessReviewError) else type(error).__name__
            with suppress(UsageError):  # the first error is the one to report
                attempt.ended("unclear", f"it was not read back: {why}")
            raise
        finally:
            writer.witness = unwitnessed

    def write(self, change_id: str, state: str, fields: Mapping[str, Any]) -> None:
        """Append a line and return when it is on the disk."""
        at = self._clock().isoformat()
        _append_shared(self.path, {"change_id": change_id, "state": state, "at": at, **self._common, **fields})
        self.is_used = True


class Attempt:
    """One change of one account or group, which may take several requests."""

    def __init__(
        self, journal: CommandJournal, subject: Mapping[str, Any], previous: Mapping[str, Any] | None
    ) -> None:
        self._journal = journal
        self._subject = subject
        self._previous = previous
        self._change_id = secrets.token_hex(10)
        self._is_open = False

    async def send(self, request: Awaitable[None]) -> SourceError | None:
        """Wait for the answer; return its error, which does not prove that nothing was changed."""
        try:
            await request
        except (RefusedError, UnclearError) as error:
            return error
        return None

    @contextmanager
    def witness(self, method: str, url: str, body: Mapping[str, Any] | None) -> Iterator[None]:
        """Write a line before one request, and one after it."""
        request = {"method": method, "url": url, "body": body}
        self._write("sending", {"previous": self._previous, "request": request})
        self._is_open = True
        try:
            yield
        except SourceError as error:
            self._write("unclear" if isinstance(error, UnclearError) else "refused", {"detail": error.message})
            raise
        self._write("answered", {})

    def ended(self, state: str, detail: str, **found: str | None) -> None:
        """Write the last line, with the result; write nothing if nothing was sent.

        ``found`` holds what became known only now, such as the id of a new account.
        """
        if self._is_open:
            self._write(state, {**found, "detail": detail})
        self._is_open = False

    def _write(self, state: str, fields: Mapping[str, Any]) -> None:
        self._journal.write(self._change_id, state, {**self._subject, **fields})


def journal_path(beside: Path) -> Path:
    """Return the path of the journal beside a plan, or beside the database for changes without a plan."""
    return beside.with_name(beside.name + _ENDING)


def plan_path(journal: Path) -> Path:
    """Return the plan beside a journal."""
    return journal.with_name(journal.name.removesuffix(_ENDING))


@contextmanager
def opened(
    plan: Path, plan_id: str, database: Path, *, locate: Callable[[Path], Path] = lambda plan: plan
) -> Iterator[Journal]:
    """Open the journal of a plan for writing under a lock; create it if it is missing.

    The lock is beside the database and named after the plan's hash, so copies of a plan cannot be applied at once.
    Copies share one journal: ``locate`` is called under the lock, and returns the copy that has the journal.

    Raises:
        UsageError: another process has it, it belongs to another plan, or it cannot be read or written.
    """
    with locked(database, f"plan {plan_id}", busy="another process is applying this plan, or a copy of it"):
        path = journal_path(locate(plan))
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise _unusable(path, error.strerror or "unknown") from error
        try:
            whole, entries = _parse(path, plan_id)
            os.ftruncate(file, whole)
            if whole == 0:
                _append(file, {"plan_id": plan_id})
                _force_folder(path)
            yield Journal(path, file, entries)
        finally:
            os.close(file)


def read(plan: Path, plan_id: str) -> dict[str, JournalEntry]:
    """Return the last entry of each change, which may be none yet.

    Raises:
        UsageError: the journal belongs to another plan, or cannot be read.
    """
    path = journal_path(plan)
    return _parse(path, plan_id)[1] if path.exists() else {}


def _parse(path: Path, plan_id: str) -> tuple[int, dict[str, JournalEntry]]:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    entries: dict[str, JournalEntry] = {}
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
            entries[change_id] = JournalEntry(**line)
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(path, str(error)) from error
    return whole, entries


def _append(file: int, document: Mapping[str, Any]) -> None:
    content = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _append_shared(path: Path, document: Mapping[str, Any]) -> None:
    """Append to a journal that other processes append to too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                os.ftruncate(file, path.read_bytes().rfind(b"\n") + 1)
            _append(file, document)
            if size == 0:
                _force_folder(path)
        finally:
            os.close(file)
    except OSError as error:
        raise _unusable(path, error.strerror or "unknown") from error


def _force_folder(path: Path) -> None:
    """Force the name of a new file to the disk."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _os_user() -> str:
    """Return the name of the user who runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, a user may have a number only
        return str(os.getuid())


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the journal cannot be used: {reason}",
        where=str(path),
        hint="correct its permissions; it is the record of what was sent, so never delete it",
    )
