"""The extract of one application from its files: their rows into the spool, and whether they are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson

from pipeline.clock import Clock
from pipeline.errors import AccessReviewError, ContentError, SourceError
from pipeline.settings import SourceSettings
from pipeline.sources.extract import ExtractJob
from pipeline.sources.files import csv_tables, oaa, parquet_tables
from pipeline.sources.files.completeness import observations
from pipeline.sources.files.declared import Declared, read_manifest
from pipeline.sources.files.tables import Content, ReadFile
from pipeline.sources.page_log import timestamp
from pipeline.spool import PageEntry, SourceOutcome
from pipeline.wording import counted

__all__ = ["FileSet", "extract", "find_files"]

#: Rows of one page. DuckDB parses a page at once.
_PAGE = 20_000
_MANIFEST = "manifest.json"
Format = Literal["csv", "oaa", "parquet"]


class FileSet:
    """The files of one application: their format, where they are, and the manifest that describes them."""

    def __init__(self, path: Path, format_: Format, manifest: Path) -> None:
        self.path = path
        self.format = format_
        self.manifest = manifest

    def read(self, note: Callable[[str], None], finished: Callable[[ReadFile], None]) -> Iterator[Content]:
        """Yield the three tables; ``finished`` receives each file after its records were taken.

        ``note`` receives a sentence about what is doubtful, such as grants of entitlements that are not listed.
        """
        readers = {"csv": csv_tables.read, "oaa": oaa.read, "parquet": parquet_tables.read}
        listed: set[str] = set()
        for content in readers[self.format](self.path, note, finished):
            if content.table == "entitlements":
                yield replace(content, records=_remember_entitlements(content.records, listed))
            elif content.table == "grants":
                yield replace(content, records=_compare_grants(content.records, listed, note))
            else:
                yield content


def _remember_entitlements(records: Iterator[Mapping[str, Any]], listed: set[str]) -> Iterator[Mapping[str, Any]]:
    for record in records:
        listed.add(record["entitlement_id"])
        yield record


def _compare_grants(
    records: Iterator[Mapping[str, Any]], listed: set[str], note: Callable[[str], None]
) -> Iterator[Mapping[str, Any]]:
    """Yield the grants; then note how many are of an entitlement that is not listed, with the first id."""
    unlisted = 0
    first = ""
    for record in records:
        if record["entitlement_id"] not in listed:
            first = first or record["entitlement_id"]
            unlisted += 1
        yield record
    if unlisted:
        note(
            f"{counted(unlisted, 'grant')} of an entitlement that the entitlements do not list, first {first}; "
            "list it, or export the files again"
        )


def find_files(source: SourceSettings) -> FileSet:
    """Return the files that a source names.

    Raises:
        ContentError: the path does not exist, or what is there is not in the format.
    """
    path = source.path
    assert path is not None  # noqa: S101 - the settings require it
    if not path.exists():
        raise ContentError(
            f"there is no '{path.name}'", where=str(path), hint=f"correct 'path' in [sources.{source.name}]"
        )
    if not path.is_dir():
        return _single_file(source, path)
    tables = {format_: path / f"accounts.{format_}" for format_ in ("csv", "parquet")}
    documents = sorted(file for file in path.glob("*.json") if not file.name.endswith("manifest.json"))
    found: list[Format] = [format_ for format_ in ("csv", "parquet") if tables[format_].exists()]
    if documents:
        found.append("oaa")
    if source.format != "auto":
        found = [source.format]
    if len(found) != 1 or (found == ["oaa"] and len(documents) != 1):
        raise _unclear(source, path, found, len(documents))
    if found == ["oaa"]:
        return FileSet(documents[0], "oaa", _manifest_of(documents[0]))
    return FileSet(path, found[0], path / _MANIFEST)


def _single_file(source: SourceSettings, path: Path) -> FileSet:
    if source.format not in {"auto", "oaa"} or path.suffix.lower() != ".json":
        kind = "csv" if source.format in {"auto", "oaa"} else source.format
        raise ContentError(
            f"'{path.name}' is not a folder",
            where=str(path),
            hint=f"name the folder with accounts.{kind}, entitlements.{kind} and grants.{kind} in "
            f"[sources.{source.name}], or one OAA file that ends in .json",
        )
    return FileSet(path, "oaa", _manifest_of(path))


def _manifest_of(path: Path) -> Path:
    """Return the manifest of one OAA file: the one beside it that has its name, else that of the folder."""
    own = path.with_name(f"{path.stem}.manifest.json")
    return path.with_name(_MANIFEST) if not own.exists() and path.with_name(_MANIFEST).exists() else own


def _unclear(source: SourceSettings, path: Path, found: Sequence[Format], documents: int) -> ContentError:
    """Return what is wrong with a folder that does not hold the files of one application in one format."""
    if not found or (found == ["oaa"] and not documents):
        message = f"there are no files of an application in '{path.name}'"
        hint = "it needs accounts.csv, entitlements.csv and grants.csv, the same as .parquet, or one OAA file (.json)"
    elif found == ["oaa"]:
        message = f"there are {documents} JSON files in '{path.name}'"
        hint = f'name one of them: path = "{path.name}/NAME.json" in [sources.{source.name}]'
    else:
        message = f"'{path.name}' has files in several formats: {', '.join(found)}"
        hint = f'say which one counts: format = "{found[0]}" in [sources.{source.name}]'
    return ContentError(message, where=str(path), hint=hint)


def extract(job: ExtractJob) -> SourceOutcome:
    """Read a source of kind ``files`` into the spool; return its outcome, which is in the spool too.

    Raises:
        SourceError: a file is missing or broken. The outcome, with the ``error``, was written before.
    """
    reading = _Reading(job)
    failure: AccessReviewError | None = None
    try:
        reading.read(find_files(job.source))
    except SourceError as error:
        failure = error
    outcome = reading.outcome(failure)
    job.spool.write_outcome(outcome)
    if failure is not None:
        raise failure
    return outcome


@dataclass(frozen=True, slots=True)
class _Piece:
    """A file, or the rows of one page, for the page log: name of the file, rows, bytes, hash, and what keeps it."""

    url: str
    items: int
    size: int
    sha256: str
    file: str | None = None
    offset: int | None = None


class _Reading:
    """The reading of one application: its pages in the spool, and the files read so far."""

    def __init__(self, job: ExtractJob) -> None:
        self._job = job
        self._clock: Clock = job.clock
        self._started = job.clock()
        self._declared = Declared("manifest.json")
        self._format: str | None = None
        self._files: list[ReadFile] = []
        self._read_tables: list[str] = []

    def read(self, files: FileSet) -> None:
        """Write the rows of every table into the spool.

        Raises:
            ContentError: a file is missing or broken.
        """
        self._format = files.format
        self._declared = read_manifest(files.manifest)

        def note(text: str) -> None:
            self._job.note(f"{self._job.source.name}: {text}")

        for doubt in (
            self._declared.doubt_of_date(self._started),
            self._declared.doubt_of_application(self._job.source.name),
        ):
            if doubt:
                note(doubt)

        for content in files.read(note, self._files.append):
            self._write(content)
            self._read_tables.append(content.table)
        if unread := sorted(self._declared.files.keys() - {file.name for file in self._files}):
            note(f"{self._declared.name} lists files that are not read: {', '.join(unread)}")
        for number, file in enumerate(self._files, start=1):
            self._add_page("files", number, _Piece(file.name, sum(file.rows.values()), file.size, file.sha256))

    def _write(self, content: Content) -> None:
        resource = f"file_{content.table}"
        records = iter(content.records)
        page = rows = 0
        while batch := list(islice(records, _PAGE)):
            page += 1
            body = orjson.dumps(batch)
            file = self._job.spool.write_body(self._job.source.name, f"{resource}-1-{page:06d}.json", body)
            sha256 = hashlib.sha256(body).hexdigest()
            self._add_page(resource, page, _Piece(content.url, len(batch), len(body), sha256, file, rows))
            rows += len(batch)
            self._job.advance(resource.removeprefix("file_"), rows, None)

    def _add_page(self, resource: str, page: int, piece: _Piece) -> None:
        now = timestamp(self._clock())
        self._job.spool.add_page(
            PageEntry(
                source=self._job.source.name, resource=resource, sweep=1, page=page, offset=piece.offset,
                url=piece.url, status=200, items=piece.items, bytes=piece.size, sha256=piece.sha256,
                redacted_sha256=None, started_at=now, fetched_at=now, elapsed_ms=0, attempts=1, file=piece.file,
            )
        )  # fmt: skip

    def outcome(self, failure: AccessReviewError | None) -> SourceOutcome:
        """Return what was read, whether it is whole, and the failure that ended it."""
        declared = self._declared
        settings = {
            "application": declared.application,
            "extracted_at": declared.extracted_at,
            "extracted_by": declared.extracted_by,
        }
        path = self._job.source.path
        accounts = _declared_accounts(declared, self._files)
        return SourceOutcome(
            source=self._job.source.name,
            kind="files",
            url=path.name if path else "",
            api=self._format,
            accepted_sweeps={f"file_{table}": 1 for table in self._read_tables} if failure is None else {},
            server_counts={"users_before": accounts, "users_after": accounts},
            settings={name: text for name, text in settings.items() if text},
            observations=(*observations(declared, self._files),) if failure is None else (),
            started_at=timestamp(self._started),
            finished_at=timestamp(self._clock()),
            error=str(failure) if failure else None,
            hint=failure.hint if failure else None,
        )


def _declared_accounts(declared: Declared, files: list[ReadFile]) -> int | None:
    """Return how many accounts the manifest declares. An OAA file has others beside its local users."""
    for file in files:
        for key in ("accounts.csv", "accounts.parquet"):
            if key in file.rows and file.name in declared.files:
                return declared.files[file.name].rows.get(key)
    return None
