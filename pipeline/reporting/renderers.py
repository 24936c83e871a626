"""The files of a report for people: the format that asks for each, and the function that writes it.

Documents take seconds of layout each and need no database, so other processes can write them. Tables stream rows from
the database.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import resources
from pipeline.evidence import manifest
from pipeline.reporting import annex as annexes
from pipeline.reporting import (
    documents,
    glyphs,
    graph,
    html,
    lookup,
    pdf,
    sheets,
    templating,
    trend,
    view,
    xlsx,
)
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.documents import DocumentJob
from pipeline.reporting.processes import Pool
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = [
    "ANNEX_FILE",
    "DOCUMENTS",
    "FILES",
    "TABLES",
    "Renderer",
    "annex_parts",
    "prepare",
    "write_annex",
    "write_document",
]

#: Most findings of one rule and most changes in HTML, which sorts and filters them quickly.
_HTML_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Renderer:
    """One file, the format that asks for it, and the function that writes it and returns warnings for its reader."""

    format: str
    file: str
    write: Callable[..., Sequence[str]]


def prepare() -> None:
    """Load the libraries, templates, style and fonts of both documents, before there is anything to write.

    For a process that renders and does nothing else: its collector stays off.

    Raises:
        RenderError: Pango is missing, or a template is wrong.
    """
    pdf.check_libraries()
    # The libraries stay, and a process ends soon after its last document: neither is worth a look of the collector.
    gc.disable()
    gc.freeze()
    templates = resources.templates()
    pdf.render('<link rel="stylesheet" href="print.css"><title>-</title><p>- <b>-</b>', templates)
    templating.filler(templates).load("paper", "brief", "evidence", "partials")


def write_document(renderer: Renderer, dataset: Dataset, job: DocumentJob) -> Sequence[str]:
    """Write one document; the error of a full disk names the file, whatever else is being written.

    Raises:
        OSError: the file cannot be written.
        RenderError: Pango is missing, or a template is wrong.
    """
    path = job.folder / renderer.file
    try:
        return renderer.write(dataset, job, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def write_xlsx(connection: Connection, dataset: Dataset, job: DocumentJob, path: Path) -> Sequence[str]:
    """Write the workbook."""
    shown = view.arrange(dataset, rows_shown=0, data_sha256=manifest.data_sha256(job.data))
    overdue = sum(dataset.due_counts["overdue"])
    compared = trend.arrange(dataset.trend, dataset.trend_figures)
    late = (
        f"{counted(overdue, 'finding')} {'is' if overdue == 1 else 'are'} overdue."
        if overdue
        else "No finding is overdue."
    )
    return xlsx.write(
        connection,
        sheets.sheets(),
        shown,
        path,
        notes=[late if overdue else "No finding is overdue.", compared.sentence, *compared.notes],
    )


def write_html(connection: Connection, dataset: Dataset, job: DocumentJob, path: Path) -> Sequence[str]:
    """Write the HTML file."""
    shown = view.arrange(dataset, rows_shown=_HTML_ROWS, data_sha256=manifest.data_sha256(job.data))
    path.write_bytes(html.render(shown, job.templates, lookup.pack(connection)))
    return ()


def write_graphml(connection: Connection, _dataset: Dataset, _job: DocumentJob, path: Path) -> Sequence[str]:
    """Write the graph as GraphML."""
    graph.write_graphml(connection, path)
    return ()


def write_graph_json(connection: Connection, _dataset: Dataset, _job: DocumentJob, path: Path) -> Sequence[str]:
    """Write the graph as JSON."""
    graph.write_json(connection, path)
    return ()


def annex_parts(connection: Connection) -> int:
    """Return at most how many documents are rendered for the annex of the current build."""
    return annexes.document_count(connection)


def write_annex(
    connection: Connection, dataset: Dataset, job: DocumentJob, pool: Pool, progress: Callable[[int, int], None]
) -> Sequence[str]:
    """Write the annex, whose pages the processes of ``pool`` render."""
    shown = view.arrange(dataset, rows_shown=0, data_sha256=manifest.data_sha256(job.data))
    missing = annexes.write(connection, shown, job.templates, job.folder / ANNEX_FILE, progress, pool)
    if not missing:
        return ()
    names = connection.execute("select distinct display_name from reports.population").fetchall()
    return (glyphs.warning(missing, (name for (name,) in names if name)),)


#: Written from the dataset and the job alone.
DOCUMENTS = (
    Renderer("pdf", documents.BRIEF, documents.write_brief),
    Renderer("pdf", documents.EVIDENCE, documents.write_evidence),
)
#: Written from the database too.
TABLES = (
    Renderer("xlsx", "access-review.xlsx", write_xlsx),
    Renderer("html", "access-review.html", write_html),
    Renderer("graph", "graph.graphml", write_graphml),
    Renderer("graph", "graph.json", write_graph_json),
)
ANNEX_FILE = "access-review-annex.pdf"
#: Files that a report has only if they were asked for.
FILES = (*(renderer.file for renderer in (*TABLES, *DOCUMENTS)), ANNEX_FILE)
