"""The preflight of an application by file: its files are read to their end, and nothing is kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import ContentError
from pipeline.settings import SourceSettings
from pipeline.sources.files.completeness import observations
from pipeline.sources.files.declared import Declared, read_manifest
from pipeline.sources.files.extract import FileSet, find_files
from pipeline.sources.files.tables import ReadFile
from pipeline.sources.sisense.preflight import PreflightCheck
from pipeline.wording import counted

__all__ = ["preflight"]


def preflight(source: SourceSettings, *, clock: Clock = utc_now) -> Sequence[PreflightCheck]:
    """Check one application as an extract would: headings, rows, counts and hashes. Trouble is a failed check."""
    checks: list[PreflightCheck] = []

    def warn(text: str, hint: str = "") -> None:
        checks.append(PreflightCheck("files", "warning", text, hint))

    try:
        files = find_files(source)
        declared = read_manifest(files.manifest)
        for doubt in (declared.doubt_of_date(clock()), declared.doubt_of_application(source.name)):
            if doubt:
                warn(doubt, "make sure that these are the files of this application, and export them again if needed")
        read: list[ReadFile] = []
        rows: Counter[str] = Counter()
        ids = _Ids()
        for content in files.read(warn, read.append):
            for record in content.records:
                rows[content.table] += 1
                ids.see(content.table, record)
    except ContentError as error:
        return [*checks, PreflightCheck("files", "failed", str(error), error.hint, error.exit_code)]
    for seen in observations(declared, read):
        if seen.result == "FAIL":
            warn(seen.explanation, "an extract is PARTIAL with it; correct the export or the manifest")
    for trouble in ids.trouble():
        warn(trouble, "an extract is PARTIAL with it; export the files again, at one time")
    return [PreflightCheck("files", "ok", _described(files, declared, rows)), *checks]


class _Ids:
    """The ids of the files: an id may stand twice only with the same cells, and a grant must name an account."""

    def __init__(self) -> None:
        self._hashes: dict[str, dict[str, int]] = {"account": {}, "entitlement": {}}
        self._differ: dict[str, set[str]] = {"account": set(), "entitlement": set()}
        self._granted: Counter[str] = Counter()

    def see(self, table: str, record: Mapping[str, Any]) -> None:
        if table == "grants":
            self._granted[record["account_id"]] += 1
            return
        kind = table.removesuffix("s")
        key = record[f"{kind}_id"]
        cells = hash(frozenset(record.items()))  # not the record: an application may have millions
        if self._hashes[kind].setdefault(key, cells) != cells:
            self._differ[kind].add(key)

    def trouble(self) -> Iterator[str]:
        for kind, ids in self._differ.items():
            if ids:
                are = "is" if len(ids) == 1 else "are"
                yield f"{counted(len(ids), f'{kind} id')} {are} on several lines that differ: {_some(ids)}"
        unknown = self._granted.keys() - self._hashes["account"].keys()
        if unknown:
            grants = counted(sum(self._granted[key] for key in unknown), "grant")
            yield f"{grants} to an account that the accounts do not list: {_some(unknown)}"


def _some(ids: Set[str]) -> str:
    return ", ".join(sorted(map(str, ids))[:5]) + (", ..." if len(ids) > 5 else "")


def _described(files: FileSet, declared: Declared, rows: Counter[str]) -> str:
    counts = [counted(rows["accounts"], "account"), counted(rows["entitlements"], "entitlement")]
    exported = f", exported {declared.extracted_at}" if declared.extracted_at else ""
    by = f" by {declared.extracted_by}" if declared.extracted_by else ""
    application = declared.application or files.path.name
    return f"{application}, {files.format}, {', '.join(counts)}, {counted(rows['grants'], 'grant')}{exported}{by}"
