"""Writes the report folder of the current build: complete and sealed, or not at all.

A failure leaves an earlier folder of the same name as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars

from pipeline import resources
from pipeline.errors import UsageError
from pipeline.evidence import manifest, sealing
from pipeline.evidence.manifest import SealedFile
from pipeline.evidence.sealing import Seal, draft_folder
from pipeline.evidence.signature import SigningKey
from pipeline.reporting import annex as annexes
from pipeline.reporting import csv, glyphs, graph, html, lookup, pdf, templating, view, xlsx
from pipeline.reporting.dataset import Dataset, has_several_sources, load
from pipeline.warehouse import archive, chain
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "ROWS_PER_TABLE",
    "ReportFolder",
    "ReportOptions",
    "chosen_formats",
    "write",
    "write_csv",
]

#: Formats that are written by default.
DEFAULT_FORMATS = frozenset({"csv", "xlsx", "html", "pdf"})
#: All formats. CSV files are data and always written, so ``csv`` alone writes nothing else.
FORMATS = DEFAULT_FORMATS | {"graph"}

#: File name -> query and order of its rows. The workbook has a sheet for each.
_CSV_FILES = {
    "population.csv": ("select * from reports.population", "source, account_id"),
    "access.csv": ("select * from reports.access", "source, account_id, entitlement_type, entitlement_id"),
    "findings.csv": ("select * from reports.findings", "source, rule_id, subject_type, subject_id, finding_id"),
    "changes.csv": ("select * from reports.changes", "source, object_kind, key, change, field"),
    "rules.csv": ("select * from reports.rule_summary", "rule_id"),
    "reach.csv": (
        "select * from reports.reach",
        "source, object_type, object_id, granted_to_type, granted_to_id, level",
    ),
    "licences.csv": ("select * from reports.licences", "source, account_id"),
    "reconciliation.csv": ("select * exclude (is_gate) from reports.reconciliation", "source, check_id"),
}
#: The same if accounts come from several sources: with the accounts of each person side by side.
_CSV_FILES_OF_SEVERAL = {
    **_CSV_FILES,
    "person_access.csv": ("select * from reports.person_access", "person_id, source, account_id"),
}
#: Sheets that are not called as the file.
_SHEETS = {"reach.csv": "object_grants"}
_XLSX_FILE = "access-review.xlsx"
_HTML_FILE = "access-review.html"
_PDF_FILE = "access-review.pdf"
_ANNEX_FILE = "access-review-annex.pdf"
_GRAPH_FILES = {"graph.graphml": graph.write_graphml, "graph.json": graph.write_json}
#: Files that a report has only if they were asked for.
_FILES_FOR_PEOPLE = (_XLSX_FILE, _HTML_FILE, _PDF_FILE, _ANNEX_FILE, *_GRAPH_FILES)
#: A larger CSV file (about 40,000 accounts) is not attached to the PDF, so that it can be mailed.
_ATTACHED_BYTES = 16 * 1024 * 1024
#: Most findings of one rule and most changes shown: in the PDF by default, and in HTML, which sorts them quickly.
ROWS_PER_TABLE = 200
_HTML_ROWS = 1000
#: Most privileged accounts in the PDF; more of them mean that the roles are wrong.
_PDF_PRIVILEGED = 2000


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """A finished report folder, with warnings for its reader.

    ``files`` are the files for people and the manifest. ``neutralised`` counts the CSV cells that a spreadsheet would
    have run as formulas.
    """

    folder: Path
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    neutralised: int
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a report folder is written.

    ``key`` signs it. The PDF shows at most ``rows_per_table`` rows of each table that may be long. ``annex`` adds a
    PDF of the whole population.
    """

    key: SigningKey | None = None
    rows_per_table: int = ROWS_PER_TABLE
    annex: bool = False


def chosen_formats(names: Iterable[str] | None) -> frozenset[str]:
    """Return these formats, or the usual ones for None.

    Raises:
        UsageError: one is unknown, or none is given.
    """
    if names is None:
        return DEFAULT_FORMATS
    wanted = frozenset(names)
    unknown = sorted(wanted - FORMATS)
    if not wanted or unknown:
        message = f"'{', '.join(unknown)}' is not a format" if unknown else "no format is given"
        raise UsageError(message, where="--format", hint=f"use any of: {', '.join(sorted(FORMATS))}")
    return wanted


def write(
    connection: Connection,
    directory: Path,
    formats: frozenset[str],
    progress: Callable[[str], None],
    options: ReportOptions | None = None,
) -> ReportFolder:
    """Write the report of the current build to its folder below ``directory``.

    ``progress`` is given the name of each file before it is written.

    Raises:
        WarehouseError: another version of the program made the build, with other SQL.
        RenderError: a file cannot be written, Pango is missing, or a template is wrong.
    """
    options = options or ReportOptions()
    if "pdf" in formats or options.annex:
        pdf.check_libraries()
    archive.require_current(connection)
    dataset = load(connection)
    folder = directory / str(dataset.snapshot["folder"])
    earlier = {name for name in _FILES_FOR_PEOPLE if (folder / name).exists()}
    with draft_folder(folder, progress) as draft:
        neutralised = write_csv(connection, draft.file)
        data = sealing.collect(connection, draft)
        writer = _Writer(connection, dataset, draft, data)
        if "xlsx" in formats:
            writer.write_xlsx()
        if "html" in formats:
            writer.write_html()
        if "pdf" in formats:
            writer.write_pdf(options.rows_per_table)
        if options.annex:
            writer.write_annex(progress)
        if "graph" in formats:
            writer.write_graphs()
        seal = sealing.seal(
            connection,
            draft,
            data,
            neutralised=neutralised,
            previous_manifest_sha256=chain.previous(connection, str(dataset.snapshot["snapshot_id"])),
            key=options.key,
        )
    names = (*_csv_files(connection), *writer.names, manifest.MANIFEST)
    if lost := sorted(earlier - set(writer.names)):
        writer.warnings.append(
            f"the new report replaces the earlier one, whose {', '.join(lost)} "
            f"{'was' if len(lost) == 1 else 'were'} not written again; --format names what to write"
        )
    return ReportFolder(folder, tuple(folder / name for name in names), tuple(writer.warnings), neutralised, seal)


def write_csv(connection: Connection, path_of: Callable[[str], Path]) -> int:
    """Write every CSV file of the current build to the path of its name; return how many cells were neutralised.

    Raises:
        RenderError: a file cannot be written.
    """
    return sum(
        csv.write(connection, query, path_of(name), order_by=order)
        for name, (query, order) in _csv_files(connection).items()
    )


def _csv_files(connection: Connection) -> Mapping[str, tuple[str, str]]:
    return _CSV_FILES_OF_SEVERAL if has_several_sources(connection) else _CSV_FILES


class _Writer:
    """Writes the files for people of one draft, collecting their ``names`` and ``warnings`` for the reader."""

    def __init__(
        self, connection: Connection, dataset: Dataset, draft: sealing.Draft, data: Sequence[SealedFile]
    ) -> None:
        self._connection = connection
        self._dataset = dataset
        self._draft = draft
        self._data = data
        self._data_sha256 = manifest.data_sha256(data)
        self._templates = resources.templates()
        self.names: list[str] = []
        self.warnings: list[str] = []

    def write_xlsx(self) -> None:
        files = _csv_files(self._connection).items()
        sheets = {_SHEETS.get(name, Path(name).stem): table for name, table in files}
        shown = view.arrange(self._dataset, rows_shown=0, data_sha256=self._data_sha256)
        self.warnings += xlsx.write(self._connection, sheets, shown, self._begin(_XLSX_FILE))

    def write_html(self) -> None:
        path = self._begin(_HTML_FILE)
        shown = view.arrange(self._dataset, rows_shown=_HTML_ROWS, data_sha256=self._data_sha256)
        path.write_bytes(html.render(shown, self._templates, lookup.pack(self._connection)))

    def write_pdf(self, rows_per_table: int) -> None:
        path = self._begin(_PDF_FILE)
        tables = [file for file in self._data if file.path in _CSV_FILES_OF_SEVERAL]
        attached = [file.path for file in tables if file.bytes <= _ATTACHED_BYTES]
        arranged = view.arrange(
            self._dataset,
            rows_shown=rows_per_table,
            privileged_shown=max(_PDF_PRIVILEGED, rows_per_table),
            data_sha256=self._data_sha256,
            attached=attached,
            left_out=[file.path for file in tables if file.path not in attached],
        )
        document = templating.fill(self._templates, "access_review.html", arranged)
        content, missing = pdf.render(
            document,
            self._templates,
            [self._draft.folder / name for name in attached],
            self._dataset.snapshot["finished_at"],
        )
        path.write_bytes(content)
        if missing:
            self.warnings.append(glyphs.warning(missing, _names(self._dataset)))

    def write_annex(self, progress: Callable[[str], None]) -> None:
        missing = annexes.write(
            self._connection,
            view.arrange(self._dataset, rows_shown=0, data_sha256=self._data_sha256),
            self._templates,
            self._begin(_ANNEX_FILE),
            lambda done, pages: progress(f"{_ANNEX_FILE}: {done:,} of {counted(pages, 'page')}"),
        )
        if missing:
            names = self._connection.execute("select distinct display_name from reports.population").fetchall()
            self.warnings.append(glyphs.warning(missing, (name for (name,) in names if name)))

    def write_graphs(self) -> None:
        for name, write_graph in _GRAPH_FILES.items():
            write_graph(self._connection, self._begin(name))

    def _begin(self, name: str) -> Path:
        self.names.append(name)
        return self._draft.file(name)


def _names(dataset: Dataset) -> Iterator[str]:
    """Yield every text from a source that may be on a page."""
    for frame in (
        dataset.privileged_accounts,
        dataset.person_access,
        dataset.finding_rows,
        dataset.summary,
        dataset.sources,
        *dataset.objects.frames(),
    ):
        for column in frame.iter_columns():
            if column.dtype == polars.String:
                yield from column.drop_nulls()
