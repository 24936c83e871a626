"""Writes the report folder of the current build: complete and sealed, or not at all.

Pages are rendered by other processes while this one writes the files that stream from the database. A failure leaves
an earlier folder of the same name as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import resources
from pipeline.errors import UsageError
from pipeline.evidence import manifest, sealing
from pipeline.evidence.sealing import Draft, Seal, draft_folder
from pipeline.evidence.signature import SigningKey
from pipeline.reporting import data_files, pdf, processes, renderers
from pipeline.reporting.data_files import write_csv
from pipeline.reporting.dataset import load
from pipeline.reporting.processes import Pool
from pipeline.reporting.renderers import Material, Renderer
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

#: Most findings of one rule and most changes in the PDF by default.
ROWS_PER_TABLE = 200
#: A larger CSV file (about 40,000 accounts) is not attached to the PDF, so that it can be mailed.
_ATTACHED_BYTES = 16 * 1024 * 1024
#: What a process that renders pages imports while it has nothing to do.
_MODULES = ("pipeline.reporting.renderers", "weasyprint")


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

    ``key`` signs it. The PDF shows at most ``rows_per_table`` rows of each table that may be long, and carries the
    CSV files of at most ``attached_bytes``. ``annex`` adds a PDF of the whole population. ``cores`` is how many
    processors may work at once: by default, all that this process may use.
    """

    key: SigningKey | None = None
    rows_per_table: int = ROWS_PER_TABLE
    attached_bytes: int = _ATTACHED_BYTES
    annex: bool = False
    cores: int | None = None


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
    archive.require_current(connection)
    pages = [renderer for renderer in renderers.PAGES if renderer.format in formats]
    tables = [renderer for renderer in renderers.TABLES if renderer.format in formats]
    with _pool(connection, options, pages, tables) as pool:
        # Imported where it will be used: this process may have no need of it.
        libraries = pool.submit(pdf.check_libraries) if pages or options.annex else None
        dataset = load(connection)
        folder = directory / str(dataset.snapshot["folder"])
        earlier = {name for name in renderers.FILES if (folder / name).exists()}
        with draft_folder(folder, progress) as draft:
            neutralised = write_csv(connection, draft.file)
            data = sealing.collect(connection, draft)
            if libraries:
                libraries.result()
            material = Material(
                dataset=dataset,
                data=tuple(data),
                folder=draft.folder,
                templates=resources.templates(),
                rows_per_table=options.rows_per_table,
                attached_bytes=options.attached_bytes,
            )
            names, warnings = _for_people(connection, draft, material, pool, pages, tables)
            if options.annex:
                names.append(renderers.ANNEX_FILE)
                warnings += _annex(connection, draft, material, pool, progress)
            seal = sealing.seal(
                connection,
                draft,
                data,
                neutralised=neutralised,
                previous_manifest_sha256=chain.previous(connection, str(dataset.snapshot["snapshot_id"])),
                key=options.key,
            )
    if lost := sorted(earlier - set(names)):
        warnings.append(
            f"the new report replaces the earlier one, whose {', '.join(lost)} "
            f"{'was' if len(lost) == 1 else 'were'} not written again; --format names what to write"
        )
    names = [*data_files.csv_files(connection), *names, manifest.MANIFEST]
    return ReportFolder(folder, tuple(folder / name for name in names), tuple(warnings), neutralised, seal)


def _pool(
    connection: Connection, options: ReportOptions, pages: Sequence[Renderer], tables: Sequence[Renderer]
) -> Pool:
    """Return the processes that work beside this one: not more than there are cores, nor than they have documents."""
    documents = len(pages) + (1 if tables else 0)
    if options.annex:
        documents += renderers.annex_parts(connection)
    available = options.cores or processes.cores()
    return Pool(max(0, min(available, documents) - 1), _MODULES)


def _for_people(
    connection: Connection,
    draft: Draft,
    material: Material,
    pool: Pool,
    pages: Sequence[Renderer],
    tables: Sequence[Renderer],
) -> tuple[list[str], list[str]]:
    """Write the files of these renderers; return their names and the warnings, both in the order of the renderers."""
    names: list[str] = []

    def begin(renderer: Renderer) -> None:
        for name in renderer.files:
            draft.file(name)
        names.extend(renderer.files)

    tasks = []
    for renderer in pages:
        begin(renderer)
        tasks.append(pool.submit(renderers.render_pages, renderer, material))
    written: list[str] = []
    for renderer in tables:
        begin(renderer)
        written += renderer.write(connection, material)
    while pool.help():
        pass
    return names, [warning for task in tasks for warning in task.result()] + written


def _annex(
    connection: Connection, draft: Draft, material: Material, pool: Pool, progress: Callable[[str], None]
) -> Sequence[str]:
    name = renderers.ANNEX_FILE
    draft.file(name)
    return renderers.write_annex(
        connection, material, pool, lambda done, total: progress(f"{name}: {done:,} of {counted(total, 'page')}")
    )
