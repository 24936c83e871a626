"""The files of a report for people: the format that asks for each, and the function that writes it.

Those made of pages take seconds for each document and need no database, so they can be written by other processes.
Those made of tables stream rows from the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars

from pipeline.evidence import manifest
from pipeline.evidence.manifest import SealedFile
from pipeline.reporting import annex as annexes
from pipeline.reporting import data_files, glyphs, graph, html, pdf, templating, view, xlsx
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.processes import Pool
from pipeline.warehouse.database import Connection

__all__ = [
    "ANNEX_FILE",
    "FILES",
    "PAGES",
    "TABLES",
    "Material",
    "Renderer",
    "annex_parts",
    "render_pages",
    "write_annex",
]

#: Sheets that are not called as the file.
_SHEETS = {"reach.csv": "object_grants"}
#: Most findings of one rule and most changes in HTML, which sorts and filters them quickly.
_HTML_ROWS = 1000
#: Most privileged accounts in the PDF; more of them mean that the roles are wrong.
_PDF_PRIVILEGED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What all files for people are made from; it can be sent to another process.

    ``data`` are the data files in ``folder``, where the new files go too. At most ``rows_per_table`` rows of each
    table that may be long are on pages, and CSV files of at most ``attached_bytes`` are attached to them.
    """

    dataset: Dataset
    data: tuple[SealedFile, ...]
    folder: Path
    templates: Path
    rows_per_table: int
    attached_bytes: int

    @property
    def data_sha256(self) -> str:
        """Return the hash over all data files."""
        return manifest.data_sha256(self.data)


@dataclass(frozen=True, slots=True)
class Renderer:
    """One or more files that one function writes; it returns warnings for the reader."""

    format: str
    files: tuple[str, ...]
    write: Callable[..., Sequence[str]]


def render_pages(renderer: Renderer, material: Material) -> Sequence[str]:
    """Write the files of a renderer of pages; the error of a full disk names the file.

    Raises:
        OSError: a file cannot be written.
        RenderError: Pango is missing, or a template is wrong.
    """
    try:
        return renderer.write(material)
    except OSError as error:
        error.filename = error.filename or str(material.folder / renderer.files[0])
        raise


def write_pdf(material: Material) -> Sequence[str]:
    """Write the PDF."""
    tables = [file for file in material.data if file.path in data_files.NAMES]
    attached = [file.path for file in tables if file.bytes <= material.attached_bytes]
    arranged = view.arrange(
        material.dataset,
        rows_shown=material.rows_per_table,
        privileged_shown=max(_PDF_PRIVILEGED, material.rows_per_table),
        data_sha256=material.data_sha256,
        attached=attached,
        left_out=[file.path for file in tables if file.path not in attached],
    )
    content, missing = pdf.render(
        templating.fill(material.templates, "access_review.html", arranged),
        material.templates,
        [material.folder / name for name in attached],
        material.dataset.snapshot["finished_at"],
    )
    (material.folder / "access-review.pdf").write_bytes(content)
    return (glyphs.warning(missing, _names(material.dataset)),) if missing else ()


def write_xlsx(connection: Connection, material: Material) -> Sequence[str]:
    """Write the workbook."""
    files = data_files.csv_files(connection).items()
    sheets = {_SHEETS.get(name, Path(name).stem): table for name, table in files}
    shown = view.arrange(material.dataset, rows_shown=0, data_sha256=material.data_sha256)
    return xlsx.write(connection, sheets, shown, material.folder / "access-review.xlsx")


def write_html(_connection: Connection, material: Material) -> Sequence[str]:
    """Write the HTML file."""
    shown = view.arrange(material.dataset, rows_shown=_HTML_ROWS, data_sha256=material.data_sha256)
    (material.folder / "access-review.html").write_bytes(html.render(shown, material.templates))
    return ()


def write_graphs(connection: Connection, material: Material) -> Sequence[str]:
    """Write the graph in two formats."""
    graph.write_graphml(connection, material.folder / "graph.graphml")
    graph.write_json(connection, material.folder / "graph.json")
    return ()


def annex_parts(connection: Connection) -> int:
    """Return how many documents the annex of the current build is made of."""
    return annexes.part_count(connection.execute("select count(*) from reports.population").fetchall()[0][0])


def write_annex(
    connection: Connection, material: Material, pool: Pool, progress: Callable[[int, int], None]
) -> Sequence[str]:
    """Write the annex, whose pages the processes of ``pool`` render."""
    shown = view.arrange(material.dataset, rows_shown=0, data_sha256=material.data_sha256)
    path = material.folder / ANNEX_FILE
    missing = annexes.write(connection, shown, material.templates, path, progress, pool)
    if not missing:
        return ()
    names = connection.execute("select distinct display_name from reports.population").fetchall()
    return (glyphs.warning(missing, (name for (name,) in names if name)),)


#: Made of pages, from the material alone; those that take longest first.
PAGES: tuple[Renderer, ...] = (Renderer("pdf", ("access-review.pdf",), write_pdf),)
#: Made of tables, from the database and the material.
TABLES: tuple[Renderer, ...] = (
    Renderer("xlsx", ("access-review.xlsx",), write_xlsx),
    Renderer("html", ("access-review.html",), write_html),
    Renderer("graph", ("graph.graphml", "graph.json"), write_graphs),
)
ANNEX_FILE = "access-review-annex.pdf"
#: Files that a report has only if they were asked for.
FILES = (*(name for renderer in (*TABLES, *PAGES) for name in renderer.files), ANNEX_FILE)


def _names(dataset: Dataset) -> Iterator[Any]:
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
