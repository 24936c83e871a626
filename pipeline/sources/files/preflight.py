"""The preflight of an application by file: its files are read to their end, and nothing is kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
        for content in files.read(warn, read.append):
            rows[content.table] = sum(1 for _ in content.records)
    except ContentError as error:
        return [*checks, PreflightCheck("files", "failed", str(error), error.hint, error.exit_code)]
    for seen in observations(declared, read):
        if seen.result == "FAIL":
            warn(seen.explanation, "an extract is PARTIAL with it; correct the export or the manifest")
    return [PreflightCheck("files", "ok", _described(files, declared, rows)), *checks]


def _described(files: FileSet, declared: Declared, rows: Counter[str]) -> str:
    counts = [counted(rows["accounts"], "account"), counted(rows["entitlements"], "entitlement")]
    exported = f", exported {declared.extracted_at}" if declared.extracted_at else ""
    by = f" by {declared.extracted_by}" if declared.extracted_by else ""
    application = declared.application or files.path.name
    return f"{application}, {files.format}, {', '.join(counts)}, {counted(rows['grants'], 'grant')}{exported}{by}"
