"""Writes the report folder of the current build: whole and sealed, or not at all.

Files are made in a folder beside the final one, which is renamed when all of them are there. An existing folder of
that name is replaced as a whole, and survives every failure.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import csv, evidence, glyphs, graph, html, manifest, pdf, templating, view, xlsx
from pipeline.reporting.dataset import Dataset, load
from pipeline.reporting.evidence import Seal
from pipeline.reporting.manifest import Entry
from pipeline.reporting.signature import SigningKey
from pipeline.warehouse.database import Connection

__all__ = ["DEFAULT_FORMATS", "FORMATS", "Report", "replacing", "write", "write_csv"]

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
_XLSX_FILE = "access-review.xlsx"
_HTML_FILE = "access-review.html"
_PDF_FILE = "access-review.pdf"
_GRAPH_FILES = {"graph.graphml": graph.write_graphml, "graph.json": graph.write_json}
#: A CSV file larger than this is not attached to the PDF, which is meant to be mailed; it has about 40,000 accounts.
_ATTACHED_BYTES = 16 * 1024 * 1024
#: Findings of one rule that are shown: on paper what somebody reads, in a browser what it sorts without a pause.
_HTML_ROWS = 1000
_PDF_ROWS = 200


@dataclass(frozen=True, slots=True)
class Report:
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
) -> Report:
    """Write the report of the build in the database to its folder below ``directory``, signed if there is a key.

    ``progress`` is given the name of each file before it is made.

    Raises:
        WarehouseError: the build was made with other SQL than the program has now.
        RenderError: a file cannot be written, Pango is missing, or a template is wrong.
    """
    if "pdf" in formats:
        pdf.check_libraries()
    dataset = load(connection)
    folder = directory / str(dataset.snapshot["folder"])
    warnings: list[str] = []
    names = list(_CSV_FILES)
    with replacing(folder) as draft:
        neutralised = write_csv(connection, draft, progress)
        progress("raw, sql, inputs")
        data = evidence.collect(connection, draft)
        data_sha256 = manifest.data_sha256(data)
        if "xlsx" in formats:
            progress(_XLSX_FILE)
            sheets = {Path(name).stem: table for name, table in _CSV_FILES.items()}
            shown = view.arrange(dataset, rows_shown=0, data_sha256=data_sha256)
            warnings += xlsx.write(connection, sheets, shown, draft / _XLSX_FILE)
            names.append(_XLSX_FILE)
        if "html" in formats:
            progress(_HTML_FILE)
            shown = view.arrange(dataset, rows_shown=_HTML_ROWS, data_sha256=data_sha256)
            (draft / _HTML_FILE).write_bytes(html.render(shown, resources.templates()))
            names.append(_HTML_FILE)
        if "pdf" in formats:
            progress(_PDF_FILE)
            warnings += _write_pdf(dataset, draft, data)
            names.append(_PDF_FILE)
        if "graph" in formats:
            for name, write_graph in _GRAPH_FILES.items():
                progress(name)
                write_graph(connection, draft / name)
                names.append(name)
        progress(manifest.MANIFEST)
        seal = evidence.seal(connection, dataset, draft, data, neutralised=neutralised, key=key)
        names.append(manifest.MANIFEST)
    return Report(folder, tuple(folder / name for name in names), tuple(warnings), neutralised, seal)


def write_csv(connection: Connection, folder: Path, progress: Callable[[str], None]) -> int:
    """Write every CSV file of the current build; return how many cells were neutralised.

    Raises:
        RenderError: a file cannot be written.
    """
    neutralised = 0
    for name, (query, order) in _CSV_FILES.items():
        progress(name)
        neutralised += csv.write(connection, query, folder / name, order_by=order)
    return neutralised


def _write_pdf(dataset: Dataset, folder: Path, data: Sequence[Entry]) -> tuple[str, ...]:
    templates = resources.templates()
    tables = [entry for entry in data if entry.path in _CSV_FILES]
    attached = [entry.path for entry in tables if entry.bytes <= _ATTACHED_BYTES]
    arranged = view.arrange(
        dataset,
        rows_shown=_PDF_ROWS,
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


def _names(dataset: Dataset) -> Iterator[str]:
    """Yield every text that came from a source and may be on a page."""
    for frame in (dataset.privileged_accounts, dataset.finding_rows, dataset.summary, dataset.sources):
        for column in frame.iter_columns():
            if column.dtype == polars.String:
                yield from column.drop_nulls()


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    former = folder.with_name(f".{folder.name}.{os.getpid()}.former")
    try:
        draft.mkdir(parents=True)
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
        raise _unwritable(error, folder) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _unwritable(error: OSError, folder: Path) -> RenderError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space on that disk, or choose another folder with --out"
    else:
        hint = "choose a folder that you may write to with --out, or correct its permissions"
    return RenderError(
        f"the report cannot be written: {error.strerror or error}", where=str(error.filename or folder), hint=hint
    )
