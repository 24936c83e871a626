"""The spool: the answers of the sources on disk, before the database is opened.

Sources write it, the warehouse lands it; neither imports the other. Reading a source never holds the database lock,
and an extract that is killed leaves a folder here and nothing in the database.

Layout, under ``<database>.spool/<snapshot_id>/``::

    pages.jsonl              one :class:`PageEntry` a line, in the order in which the answers were accepted
    <source>.outcome.json    one :class:`SourceOutcome`, written when the source succeeded or failed
    <source>/<file>          the body of each page with records, as it came (a JSON array)

A body with a secret (a password hash, a token) is written here without it. The page then has the hash of the body as
it came (``sha256``) and as it was kept (``redacted_sha256``).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import orjson

__all__ = ["Observation", "PageEntry", "Principal", "SourceOutcome", "Spool", "temporary_spool"]

_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One request and its answer. ``url`` contains no secret; ``offset`` is in records; ``bytes`` is as received.

    ``page`` counts from 1 within source, resource and sweep. ``file`` is relative to the spool, and None if there are
    no records to keep (a count, the empty page at the end, a repeated list).
    ``started_at`` and ``fetched_at`` are ISO 8601 in UTC, ``elapsed_ms`` covers all ``attempts``.
    """

    source: str
    resource: str
    sweep: int
    page: int
    offset: int | None
    url: str
    status: int
    items: int
    bytes: int
    sha256: str
    redacted_sha256: str | None
    started_at: str
    fetched_at: str
    elapsed_ms: int
    attempts: int
    file: str | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The account of the credential, as the source reports it. None where it does not."""

    user_name: str | None = None
    account_id: str | None = None
    role_id: str | None = None
    role_name: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """A completeness check that only the extract could make.

    ``check_id`` names the check (``end_proven``, ``pages_overlap``, ...); ``expected`` and ``observed`` are compared,
    as text; ``explanation`` is a whole sentence. A gate check decides between FULL and PARTIAL.
    """

    check_id: str
    description: str
    expected: str | None
    observed: str | None
    difference: int | None
    result: Literal["PASS", "FAIL", "NOT_AVAILABLE"]
    explanation: str
    is_gate: bool = True


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """The result of one source. If it failed, ``error`` is a redacted sentence, and ``hint`` says what to do.

    ``accepted_sweeps`` names, for each resource, the sweep that the population is made of; the others are landed as
    evidence. ``overlaps`` holds, for each resource and each sweep in turn, the offsets of the pages whose first
    record is the last of the page before; such a record is landed once. ``server_counts`` are the source's own totals
    (``users_before``, ``users_after``), None where it has none. ``missing`` names endpoints that do not exist there,
    each with what the report loses.
    """

    source: str
    kind: str
    url: str
    api: str | None = None
    version: str | None = None
    principal: Principal = field(default_factory=Principal)
    accepted_sweeps: dict[str, int] = field(default_factory=dict)
    overlaps: dict[str, list[list[int]]] = field(default_factory=dict)
    server_counts: dict[str, int | None] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    clock_skew_seconds: float | None = None
    observations: tuple[Observation, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
    error: str | None = None
    hint: str | None = None


class Spool:
    """The folder of one extract, written by the sources of one process and read once by the warehouse."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pages: IO[bytes] | None = None

    @classmethod
    def create(cls, folder: Path) -> Spool:
        """Make the folder, readable by this user only, because it contains names and e-mail addresses."""
        folder.mkdir(parents=True, mode=0o700)
        return cls(folder)

    def write_body(self, source: str, name: str, body: bytes) -> str:
        """Write the body of a page; return its path relative to the spool. The journal names complete bodies only."""
        folder = self.folder / source
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / name).write_bytes(body)
        return f"{source}/{name}"

    def add_page(self, page: PageEntry) -> None:
        """Append one line to the journal of pages."""
        if self._pages is None:
            self._pages = (self.folder / "pages.jsonl").open("ab")
        self._pages.write(orjson.dumps(page, option=orjson.OPT_APPEND_NEWLINE))

    def write_outcome(self, outcome: SourceOutcome) -> None:
        """Write the outcome of a source."""
        path = self.folder / f"{outcome.source}.outcome.json"
        path.write_text(json.dumps(asdict(outcome), ensure_ascii=False, indent=1), encoding="utf-8")

    def close(self) -> None:
        """Flush the journal to disk; the spool may be landed after this."""
        if self._pages is not None:
            self._pages.flush()
            os.fsync(self._pages.fileno())
            self._pages.close()
            self._pages = None

    def pages(self) -> Iterator[PageEntry]:
        """Yield the entries of the journal."""
        journal = self.folder / "pages.jsonl"
        if journal.exists():
            with journal.open(encoding="utf-8") as lines:
                for line in lines:
                    yield PageEntry(**json.loads(line))

    def outcomes(self) -> list[SourceOutcome]:
        """Return every source's outcome, by name."""
        return [
            _outcome(json.loads(path.read_text(encoding="utf-8")))
            for path in sorted(self.folder.glob("*.outcome.json"))
        ]


@contextmanager
def temporary_spool(parent: Path, name: str) -> Iterator[Spool]:
    """Yield a new spool, and remove it at the end. Spools of killed processes are removed first.

    The spool is locked while the block runs, so that no other process takes it for an abandoned one.

    Raises:
        OSError: the folder cannot be made.
    """
    _remove_abandoned(parent)
    spool = Spool.create(parent / name)
    with (spool.folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield spool
        finally:
            spool.close()
            shutil.rmtree(spool.folder, ignore_errors=True)
            with suppress(OSError):  # the spool of another run may be there
                parent.rmdir()


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob("*/"):
        with suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _outcome(document: dict[str, Any]) -> SourceOutcome:
    document["principal"] = Principal(**document["principal"])
    document["observations"] = tuple(Observation(**item) for item in document["observations"])
    return SourceOutcome(**document)
