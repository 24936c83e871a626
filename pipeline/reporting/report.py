"""Writes the report folder of the current build: complete and sealed, or not at all.

Pages are rendered by other processes while this one writes the files that stream from the database. A failure leaves
an earlier folder of the same name as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline import resources
from pipeline.errors import UsageError
from pipeline.evidence import manifest, sealing
from pipeline.evidence.sealing import Draft, Seal, draft_folder
from pipeline.reporting import data_files, documents, exports, pdf, processes, renderers
from pipeline.reporting.data_files import write_csv
from pipeline.reporting.dataset import Dataset, load
from pipeline.reporting.documents import DocumentJob
from pipeline.reporting.exports import Export
from pipeline.reporting.processes import Pool, Task
from pipeline.reporting.renderers import Renderer
from pipeline.results import ReportExtras
from pipeline.warehouse import archive, chain, database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.pseudonyms import pseudonymised_copy
from pipeline.wording import counted

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "ReportFolder",
    "ReportOptions",
    "chosen_formats",
    "workers",
    "write",
    "write_csv",
    "write_pseudonymised",
]

#: Formats that are written by default.
DEFAULT_FORMATS = frozenset({"csv", "xlsx", "html", "pdf"})
#: All formats. CSV files are data and always written, so ``csv`` alone writes nothing else.
FORMATS = DEFAULT_FORMATS | {"graph"}


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

    ``proofs`` are the key that signs it and the authority that stamps it afterwards. ``workers`` are the processes of
    :func:`workers`, or None to start them here. The PDFs show at most ``rows_per_table`` rows of each table that may
    be long. ``annex`` adds a PDF of the whole population, and ``exports`` files for other programs.
    ``pseudonym_key`` is the key of the pseudonyms of a folder to show outside; None for a report with names.
    ``cores`` is how many processors may work at once: by default, all that this process may use.
    """

    proofs: sealing.Proofs = field(default_factory=sealing.Proofs)
    workers: Pool | None = None
    rows_per_table: int = documents.ROWS_PER_TABLE
    annex: bool = False
    exports: tuple[Export, ...] = ()
    pseudonym_key: bytes | None = None
    cores: int | None = None

    @classmethod
    def with_extras(cls, extras: ReportExtras) -> ReportOptions:
        """Return the options that write these extras.

        Raises:
            UsageError: there is no such export.
        """
        return cls(annex=extras.annex, exports=exports.chosen(extras.exports))


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
    chosen = [renderer for renderer in renderers.DOCUMENTS if renderer.format in formats]
    tables = [renderer for renderer in renderers.TABLES if renderer.format in formats]
    with _pool(connection, options, chosen) as pool:
        # By a process that renders: this one may have no need of the libraries.
        libraries = pool.submit(pdf.check_libraries) if chosen or options.annex else None
        dataset = load(connection)
        folder = directory / str(dataset.snapshot["folder"])
        earlier = {name for name in renderers.FILES if (folder / name).exists()} | exports.names_below(folder)
        with draft_folder(folder, progress) as draft:
            neutralised = write_csv(connection, draft.file)
            data = sealing.collect(connection, draft)
            if libraries:
                libraries.result()
            job = DocumentJob(
                folder=draft.folder,
                data=data,
                tables=data_files.NAMES,
                rows_per_table=options.rows_per_table,
                templates=resources.templates(),
            )
            rendering = _submitted(pool, dataset, job, draft, chosen)
            if not options.annex:
                pool.close()
            warnings = _tables(connection, dataset, job, draft, tables)
            warnings += _rendered(pool, rendering)
            names = [renderer.file for renderer in (*tables, *chosen)]
            names += (exported := _exported(connection, draft, options))
            neutralised += sum(exported.values())
            if options.annex:
                names.append(renderers.ANNEX_FILE)
                warnings += _annex(connection, draft, dataset, job, pool, progress)
            seal = sealing.seal(
                connection,
                draft,
                data,
                neutralised=neutralised,
                previous_manifest_sha256=chain.previous(connection, str(dataset.snapshot["snapshot_id"])),
                proofs=options.proofs,
            )
    warnings += [*_replaced(sorted(earlier - set(names))), *draft.notes]
    names = [*data_files.csv_files(connection), *names, manifest.MANIFEST]
    return ReportFolder(folder, tuple(folder / name for name in names), tuple(warnings), neutralised, seal)


def write_pseudonymised(
    connection: Connection,
    directory: Path,
    formats: frozenset[str],
    progress: Callable[[str], None],
    options: ReportOptions,
) -> ReportFolder:
    """Write the report of a copy of the database in which keyed pseudonyms stand for people.

    Raises:
        WarehouseError: the copy cannot be made, or another version of the program made the build.
        RenderError: as :func:`write`.
    """
    progress("pseudonyms")
    archive.require_current(connection)
    with (
        pseudonymised_copy(connection, options.pseudonym_key or b"") as copy,
        database.reading(copy, notify=lambda _: None, memory=database.RENDERING_MEMORY) as pseudonymous,
    ):
        return write(pseudonymous, directory, formats, progress, replace(options, pseudonym_key=None))


def workers(formats: frozenset[str], cores: int | None = None) -> Pool:
    """Return the processes that render the documents of these formats, for a ``with`` block.

    A run starts them early: they load what they need while this process waits for its sources.
    """
    wanted = sum(renderer.format in formats for renderer in renderers.DOCUMENTS)
    cores = cores or processes.cores()
    return Pool(min(cores, wanted) if cores > 1 else 0, renderers.prepare)


def _pool(connection: Connection, options: ReportOptions, chosen: Sequence[Renderer]) -> AbstractContextManager[Pool]:
    """Return the processes that work beside this one: those of a run, else one for each other core."""
    if options.workers:
        return nullcontext(options.workers)
    wanted = len(chosen) + (renderers.annex_parts(connection) if options.annex else 0)
    return Pool(min((options.cores or processes.cores()) - 1, wanted), renderers.prepare)


def _replaced(lost: Sequence[str]) -> Iterator[str]:
    if lost:
        yield (
            f"the new report replaces the earlier one, whose {', '.join(lost)} "
            f"{'was' if len(lost) == 1 else 'were'} not written again; --format and --export name what to write"
        )


def _submitted(
    pool: Pool, dataset: Dataset, job: DocumentJob, draft: Draft, chosen: Sequence[Renderer]
) -> list[Task[Sequence[str]]]:
    """Hand these documents to the processes of the pool."""
    tasks = []
    for renderer in chosen:
        draft.file(renderer.file)
        tasks.append(pool.submit(renderers.write_document, renderer, dataset, job))
    return tasks


def _tables(
    connection: Connection, dataset: Dataset, job: DocumentJob, draft: Draft, chosen: Sequence[Renderer]
) -> list[str]:
    """Write these tables here, after giving back what earlier files needed; return the warnings."""
    warnings: list[str] = []
    for renderer in chosen:
        database.release(connection)
        warnings += renderer.write(connection, dataset, job, draft.file(renderer.file))
    return warnings


def _rendered(pool: Pool, tasks: Sequence[Task[Sequence[str]]]) -> list[str]:
    """Wait for documents, or render them here if no process has begun them; return the warnings for their readers."""
    while pool.help():
        pass
    # Two documents may lack the same characters.
    return list(dict.fromkeys(warning for task in tasks for warning in task.result()))


def _exported(connection: Connection, draft: Draft, options: ReportOptions) -> dict[str, int]:
    """Write the exports; return the path of each file, and how many of its cells were neutralised."""
    return {name: cells for export in options.exports for name, cells in exports.write(connection, export, draft)}


def _annex(
    connection: Connection,
    draft: Draft,
    dataset: Dataset,
    job: DocumentJob,
    pool: Pool,
    progress: Callable[[str], None],
) -> Sequence[str]:
    name = renderers.ANNEX_FILE
    draft.file(name)

    def rendered(done: int, total: int) -> None:
        progress(f"{name}: {done:,} of {counted(total, 'page')}")

    return renderers.write_annex(connection, dataset, job, pool, rendered)
