"""Journals: what is about to be sent, written down before it is sent, and what became of it.

One JSON object a line, appended and forced to the disk before the program goes on; so it survives a kill at any step,
and the database is not held while a server is slow. A last line without its end was being written when the program
was killed: it announced nothing that was sent, and is cut off. A plan has its own journal, ``<plan>.journal.jsonl``
beside the first copy of it that was applied; what is changed without a plan is in one for all commands,
``<database>.journal.jsonl``.
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
from pipeline.sources.errors import RefusedError, UnclearError
from pipeline.sources.sisense.writing import Writer

__all__ = ["Attempt", "CommandJournal", "Journal", "JournalEntry", "journal_path", "opened", "plan_path", "read"]

_ENDING = ".journal.jsonl"


@dataclass(frozen=True, slots=True)
class JournalEntry:
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
    """What one command sends without a plan, and what came of it, in a file that all commands share.

    A change has a line before each of its requests (``sending``), one after it (``answered``, ``refused`` or
    ``unclear``), and a last one when the account or group was read back, in the words of the command's result. They
    share a ``change_id``; a change without its last line was cut off, and nobody has looked what became of it.
    """

    def __init__(self, path: Path, command: str, source: str, *, clock: Clock = utc_now) -> None:
        self.path = path
        #: Where locks are made that all commands share.
        self.beside = path
        self.is_used = False
        self._common = {"command": command, "source": source, "os_user": _os_user()}
        self._clock = clock

    @contextmanager
    def attempt(
        self, writer: Writer, subject: Mapping[str, Any], previous: Mapping[str, Any] | None = None
    ) -> Iterator[Attempt]:
        """Write down what the writer sends in the block: whom it is about, and what that one had before.

        Raises:
            UsageError: the journal cannot be written; a request that it cannot announce is not sent.
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
            with suppress(UsageError):  # what went wrong first is what people hear of
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
        """Wait for the answer; return what is wrong with it, which proves nothing."""
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
        """Write the last line: how the account or group is now that it was read; none where nothing was sent.

        ``found`` is what is known of it only now, such as the id of what was created.
        """
        if self._is_open:
            self._write(state, {**found, "detail": detail})
        self._is_open = False

    def _write(self, state: str, fields: Mapping[str, Any]) -> None:
        self._journal.write(self._change_id, state, {**self._subject, **fields})


def journal_path(beside: Path) -> Path:
    """Return where the journal of a plan is, or of what is changed without one: beside the plan, or the database."""
    return beside.with_name(beside.name + _ENDING)


def plan_path(journal: Path) -> Path:
    """Return the plan that a journal is beside."""
    return journal.with_name(journal.name.removesuffix(_ENDING))


@contextmanager
def opened(
    plan: Path, plan_id: str, database: Path, *, locate: Callable[[Path], Path] = lambda plan: plan
) -> Iterator[Journal]:
    """Open the journal of a plan for writing, alone; make it if it is missing.

    The lock is beside the database and goes by the plan itself, so that copies of one plan are not applied at once.
    ``locate`` says, once the lock is held, beside which copy of the plan the journal is: copies share it.

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
    """Return the last entry of each change; none where nothing was applied yet. Raises as :func:`opened`."""
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
    """Append to a journal that other processes append to as well."""
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
    """Return who runs this process, as the operating system knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, a number may be all there is
        return str(os.getuid())


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the journal cannot be used: {reason}",
        where=str(path),
        hint="correct its permissions; it is the record of what was sent, so never delete it",
    )
