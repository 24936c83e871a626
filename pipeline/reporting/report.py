"""Writes the report folder of the current build: whole and sealed, or not at all.

Files are made in a folder beside the final one, which is renamed when all of them are there. An existing folder of
that name is replaced as a whole, and survives every failure.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.evidence import manifest, sealing
from pipeline.evidence.manifest import SealedFile
from pipeline.evidence.sealing import Seal
from pipeline.evidence.signature import SigningKey
from pipeline.reporting import annex as annexes
from pipeline.reporting import csv, glyphs, graph, html, pdf, templating, view, xlsx
from pipeline.reporting.dataset import Dataset, has_several_sources, load
from pipeline.warehouse import archive, chain
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["DEFAULT_FORMATS", "FORMATS", "ROWS_PER_TABLE", "ReportFolder", "replacing", "write", "write_csv"]

#: The formats that are written unless others are asked for.
DEFAULT_FORMATS = frozenset({"csv", "xlsx", "html", "pdf"})
#: The formats that can be asked for. The CSV files are data, and always written: ``csv`` asks for nothing else.
FORMATS = DEFAULT_FORMATS | {"graph"}

#: File name -> the query and the order of its rows. The workbook has a sheet for each, named as the file.
_CSV_FILES = {
    "population.csv": ("select * from reports.population", "source, account_id"),
    "access.csv": ("select * from reports.access", "source, account_id, entitlement_type, entitlement_id"),
    "findings.csv": ("select * from reports.findings", "source, rule_id, subject_type, subject_id, finding_id"),
    "changes.csv": ("select * from reports.changes", "source, object_kind, key, change, field"),
    "rules.csv": ("select * from reports.rule_summary", "rule_id"),
    "reconciliation.csv": ("select * exclude (is_gate) from reports.reconciliation", "source, check_id"),
}
#: The same, where accounts come from more than one source: each person's accounts stand together.
_CSV_FILES_OF_SEVERAL = {
    **_CSV_FILES,
    "person_access.csv": ("select * from reports.person_access", "person_id, source, account_id"),
}
_XLSX_FILE = "access-review.xlsx"
_HTML_FILE = "access-review.html"
_PDF_FILE = "access-review.pdf"
_ANNEX_FILE = "access-review-annex.pdf"
_GRAPH_FILES = {"graph.graphml": graph.write_graphml, "graph.json": graph.write_json}
#: How the names of folders end that are not yet, or no longer, the report.
_DRAFT, _FORMER = "partial", "former"
#: A CSV file larger than this is not attached to the PDF, which is meant to be mailed; it has about 40,000 accounts.
_ATTACHED_BYTES = 16 * 1024 * 1024
#: Findings of one rule, and changes, that are shown: on paper what somebody reads, unless the configuration says
#: otherwise, and in a browser what it sorts without a pause.
ROWS_PER_TABLE = 200
_HTML_ROWS = 1000
#: All privileged accounts are named, unless something is badly wrong with the roles, and then with the report.
_PDF_PRIVILEGED = 2000


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """A finished report folder, and what its reader should be told.

    ``files`` are those for people and the manifest; ``neutralised`` counts the cells of the CSV files that a
    spreadsheet would have run as formulas.
    """

    folder: Path
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    neutralised: int
    seal: Seal


def write(
    connection: Connection,
    directory: Path,
    formats: frozenset[str],
    progress: Callable[[str], None],
    *,
    key: SigningKey | None = None,
    rows_per_table: int = ROWS_PER_TABLE,
    annex: bool = False,
) -> ReportFolder:
    """Write the report of the build in the database to its folder below ``directory``, signed if there is a key.

    ``progress`` is given the name of each file before it is made. The PDF shows at most ``rows_per_table`` rows of a
    table that may be long. ``annex`` adds a PDF of the whole population.

    Raises:
        WarehouseError: the build was made with other SQL than the program has now.
        RenderError: a file cannot be written, Pango is missing, or a template is wrong.
    """
    if "pdf" in formats or annex:
        pdf.check_libraries()
    archive.require_current(connection)
    dataset = load(connection)
    folder = directory / str(dataset.snapshot["folder"])
    warnings: list[str] = []
    tables = _csv_files(connection)
    names = list(tables)
    making = folder

    def begin(name: str) -> None:
        nonlocal making
        making = folder / name
        progress(name)

    with replacing(folder, lambda: making) as draft:
        neutralised = write_csv(connection, draft, begin)
        begin("raw, sql, inputs")
        data = sealing.collect(connection, draft)
        data_sha256 = manifest.data_sha256(data)
        if "xlsx" in formats:
            begin(_XLSX_FILE)
            sheets = {Path(name).stem: table for name, table in tables.items()}
            shown = view.arrange(dataset, rows_shown=0, data_sha256=data_sha256)
            warnings += xlsx.write(connection, sheets, shown, draft / _XLSX_FILE)
            names.append(_XLSX_FILE)
        if "html" in formats:
            begin(_HTML_FILE)
            shown = view.arrange(dataset, rows_shown=_HTML_ROWS, data_sha256=data_sha256)
            (draft / _HTML_FILE).write_bytes(html.render(shown, resources.templates()))
            names.append(_HTML_FILE)
        if "pdf" in formats:
            begin(_PDF_FILE)
            warnings += _write_pdf(dataset, draft, data, rows_per_table)
            names.append(_PDF_FILE)
        if annex:
            begin(_ANNEX_FILE)
            warnings += _write_annex(connection, dataset, draft / _ANNEX_FILE, data_sha256, progress)
            names.append(_ANNEX_FILE)
        if "graph" in formats:
            for name, write_graph in _GRAPH_FILES.items():
                begin(name)
                write_graph(connection, draft / name)
                names.append(name)
        begin(manifest.MANIFEST)
        seal = sealing.seal(
            connection,
            draft,
            data,
            neutralised=neutralised,
            previous_manifest_sha256=chain.previous(connection, str(dataset.snapshot["snapshot_id"])),
            key=key,
        )
        names.append(manifest.MANIFEST)
    return ReportFolder(folder, tuple(folder / name for name in names), tuple(warnings), neutralised, seal)


def write_csv(connection: Connection, folder: Path, progress: Callable[[str], None] = lambda _: None) -> int:
    """Write every CSV file of the current build; return how many cells were neutralised.

    Raises:
        RenderError: a file cannot be written.
    """
    neutralised = 0
    for name, (query, order) in _csv_files(connection).items():
        progress(name)
        neutralised += csv.write(connection, query, folder / name, order_by=order)
    return neutralised


def _csv_files(connection: Connection) -> Mapping[str, tuple[str, str]]:
    return _CSV_FILES_OF_SEVERAL if has_several_sources(connection) else _CSV_FILES


def _write_pdf(dataset: Dataset, folder: Path, data: Sequence[SealedFile], rows_per_table: int) -> tuple[str, ...]:
    templates = resources.templates()
    tables = [entry for entry in data if entry.path in _CSV_FILES_OF_SEVERAL]
    attached = [entry.path for entry in tables if entry.bytes <= _ATTACHED_BYTES]
    arranged = view.arrange(
        dataset,
        rows_shown=rows_per_table,
        privileged_shown=max(_PDF_PRIVILEGED, rows_per_table),
        data_sha256=manifest.data_sha256(data),
        attached=attached,
        left_out=[entry.path for entry in tables if entry.path not in attached],
    )
    document = templating.fill(templates, "access_review.html", arranged)
    content, missing = pdf.render(
        document, templates, [folder / name for name in attached], dataset.snapshot["finished_at"]
    )
    (folder / _PDF_FILE).write_bytes(content)
    return (glyphs.warning(missing, _names(dataset)),) if missing else ()


def _write_annex(
    connection: Connection, dataset: Dataset, path: Path, data_sha256: str, progress: Callable[[str], None]
) -> tuple[str, ...]:
    arranged = view.arrange(dataset, rows_shown=0, data_sha256=data_sha256)
    missing = annexes.write(
        connection,
        arranged,
        resources.templates(),
        path,
        lambda done, pages: progress(f"{path.name}: {done:,} of {counted(pages, 'page')}"),
    )
    if not missing:
        return ()
    names = connection.execute("select distinct display_name from reports.population").fetchall()
    return (glyphs.warning(missing, (name for (name,) in names if name)),)


def _names(dataset: Dataset) -> Iterator[str]:
    """Yield every text that came from a source and may be on a page."""
    for frame in (
        dataset.privileged_accounts,
        dataset.person_access,
        dataset.finding_rows,
        dataset.summary,
        dataset.sources,
    ):
        for column in frame.iter_columns():
            if column.dtype == polars.String:
                yield from column.drop_nulls()


@contextmanager
def replacing(folder: Path, making: Callable[[], Path]) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well.

    ``making`` tells what was being written when something failed that does not name it. The draft is locked while its
    process lives, so that what a killed one has left can be told from what another is making just now, and is swept
    away.
    """
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.{_DRAFT}")
    former = folder.with_name(f".{folder.name}.{os.getpid()}.{_FORMER}")
    try:
        _sweep(folder.parent)
        draft.mkdir(parents=True)
        with _locked(draft):
            yield draft
            if folder.exists():
                folder.rename(former)
            try:
                draft.rename(folder)
            except OSError:
                if former.exists():
                    former.rename(folder)
                raise
        shutil.rmtree(former, ignore_errors=True)
    except OSError as error:
        raise _unwritable(error, making()) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder; the system lets it go with the process, however that ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: then nothing is ever swept there
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _sweep(directory: Path) -> None:
    """Remove the drafts of processes that were killed, and put back the report that one was about to replace."""
    for left in sorted(directory.glob(f".*.{_DRAFT}")):
        name, _, pid = left.name[1:].removesuffix(f".{_DRAFT}").rpartition(".")
        if not name or not pid.isdecimal() or left.is_symlink() or not left.is_dir() or _is_held(left):
            continue
        shutil.rmtree(left, ignore_errors=True)
        former, folder = left.with_name(f".{name}.{pid}.{_FORMER}"), left.with_name(name)
        if former.is_dir() and not folder.exists():
            former.rename(folder)
        shutil.rmtree(former, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _unwritable(error: OSError, making: Path) -> RenderError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = "free some space on that disk, or choose another folder with --out"
    else:
        hint = "choose a folder that you may write to with --out, or correct its permissions"
    return RenderError(
        f"the report cannot be written: {error.strerror or error}", where=str(error.filename or making), hint=hint
    )
