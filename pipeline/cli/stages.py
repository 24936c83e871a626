"""The main job and its stages: ``run``, ``extract``, ``build``, ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.terminal import Terminal, align
from pipeline.errors import GateError, IncompleteError, UsageError, exit_code
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.results import ReportResult, RunResult
    from pipeline.settings import Settings

__all__ = ["register", "show"]

AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Evaluate as of the start of this day (UTC) or this ISO timestamp (default: when the extract ended).",
    ),
]
AllowPartial = Annotated[
    bool, typer.Option("--allow-partial", help="Continue with an extract that is not proven complete.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write report folders here, not to [reports] directory.")
]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="LIST",
        help="Files to write: any of csv, xlsx, html, pdf, graph, separated by commas. CSV files are always written.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: access-review run --fail-on high")(run)
    app.command(epilog="Example: access-review extract prod")(extract)
    app.command(epilog="Example: access-review build --as-of 2026-09-30")(build)
    app.command(
        epilog="Examples: access-review report --format csv; access-review report --export vanta --export oscal"
    )(report)


def run(
    context: typer.Context,
    as_of: AsOf = None,
    out: Out = None,
    formats: Formats = "csv,xlsx,html,pdf",
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with 1 if a finding is open at this severity or above: critical, high, medium, low or info.",
        ),
    ] = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Extract, build and report: the main job."""
    from pipeline.results import SEVERITIES

    terminal: Terminal = context.obj
    if fail_on is not None and fail_on not in SEVERITIES:
        raise UsageError(
            f"'{fail_on}' is not a severity", where="--fail-on", hint=f"use one of: {', '.join(SEVERITIES)}"
        )
    moment = parse_as_of(as_of)
    project = terminal.project()
    with terminal.progress():
        result = project.run(as_of=moment, formats=parse_formats(formats), directory=out, allow_partial=allow_partial)
    show(terminal, result)
    if fail_on is not None:
        _gate(fail_on, result.report)


def extract(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Names of sources (default: all).")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Read part K of N of the accounts; 'merge' joins the parts."),
    ] = None,
) -> None:
    """Read the sources into a new snapshot."""
    terminal: Terminal = context.obj
    project = terminal.project()
    with terminal.progress():
        result = project.extract(*(sources or ()), shard=shard)
    reason = f": {result.reason}" if result.reason else ""
    terminal.result(
        f"{result.snapshot_id} {result.completeness}{reason}",
        {
            "snapshot_id": result.snapshot_id,
            "completeness": result.completeness,
            "reason": result.reason,
            "started_at": result.started_at,
            "finished_at": result.finished_at,
        },
    )
    errors = result.errors()
    for error in errors:
        terminal.fail(error)
    if errors:
        raise typer.Exit(exit_code([IncompleteError.exit_code, *(error.exit_code for error in errors)]))


def build(
    context: typer.Context,
    snapshot: Annotated[
        str | None, typer.Option(metavar="ID", help="The snapshot to build (default: the newest).")
    ] = None,
    as_of: AsOf = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The snapshot to compare with (default: the previous complete one)."),
    ] = None,
    allow_partial: AllowPartial = False,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What runs the models: duckdb or spark (default: as configured)."),
    ] = None,
    engine_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of a Spark Connect server: sc://host:15002.")
    ] = None,
) -> None:
    """Build the graph, the findings and the report tables."""
    terminal: Terminal = context.obj
    moment = parse_as_of(as_of)
    project = terminal.project()
    project.settings = on_engine(project.settings, engine, engine_url)
    with terminal.progress():
        result = project.build(snapshot, as_of=moment, baseline=baseline, allow_partial=allow_partial)
    terminal.result(
        f"{result.build_id[:16]} {result.folder.name}: {counted(result.accounts, 'account')}, "
        f"{counted(result.findings, 'finding')}",
        {
            "snapshot_id": result.snapshot_id,
            "build_id": result.build_id,
            "accounts": result.accounts,
            "folder": result.folder,
            "rows": result.rows,
        },
    )


def report(
    context: typer.Context,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="The snapshot to report, built if it is not yet (default: the current build)."
        ),
    ] = None,
    formats: Formats = "csv,xlsx,html,pdf",
    annex: Annotated[bool, typer.Option("--annex", help="Add a PDF that lists the whole population.")] = False,
    export: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Add a file for another program (repeatable); 'list' shows them."),
    ] = None,
    pseudonymise: Annotated[
        bool, typer.Option("--pseudonymise", help="Write a folder to show outside, with pseudonyms for people.")
    ] = False,
    out: Out = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Write the report of the current build, or of --snapshot."""
    terminal: Terminal = context.obj
    if export and "list" in export:
        _list_exports(terminal)
        return
    from pipeline.results import ReportExtras

    project = terminal.project()
    with terminal.progress():
        result = project.report(
            snapshot,
            formats=parse_formats(formats),
            directory=out,
            extras=ReportExtras(annex=annex, exports=tuple(export or ()), pseudonymise=pseudonymise),
            allow_partial=allow_partial,
        )
    terminal.say(_coverage(result))
    terminal.result(
        _where(result.folder, result.files),
        {
            "folder": result.folder,
            "files": result.files,
            "time_stamped_at": result.time_stamped_at,
            "findings": result.open_findings,
            "unevaluated_rules": [asdict(rule) for rule in result.unevaluated_rules],
        },
    )


def show(terminal: Terminal, result: RunResult) -> None:
    """Print what a run found, on stderr, and where the report is, on stdout."""
    extracted, built, written = result.extract, result.build, result.report
    findings = written.open_findings
    counts = ", ".join(f"{count} {severity}" for severity, count in findings.items())
    terminal.say(f"snapshot  {extracted.snapshot_id} {extracted.completeness}")
    terminal.say(f"accounts  {built.accounts}")
    terminal.say(f"findings  {sum(findings.values())} open: {counts}")
    terminal.say(_coverage(written))
    if terminal.verbose:
        header = ("stage", "seconds", "rows", "peak memory, MB")
        terminal.say(align(header, [(s.stage, s.seconds, s.rows, s.peak_memory_mb) for s in result.stages]))
    terminal.result(
        _where(written.folder, written.files),
        {
            "snapshot_id": extracted.snapshot_id,
            "build_id": built.build_id,
            "completeness": extracted.completeness,
            "reason": extracted.reason,
            "accounts": built.accounts,
            "findings": findings,
            "unevaluated_rules": [asdict(rule) for rule in written.unevaluated_rules],
            "folder": written.folder,
            "files": written.files,
            "time_stamped_at": written.time_stamped_at,
            "stages": [asdict(stage) for stage in result.stages],
        },
    )


def _list_exports(terminal: Terminal) -> None:
    from pipeline.reporting.exports import exports

    known = [export for export in exports() if export.file]
    lines = [
        f"{export.name}: {export.query.answers}\n  access-review {export.command}\n"
        f"  {export.source} (checked {export.checked})"
        for export in known
    ]
    terminal.result(
        "\n".join(lines),
        [
            {
                "name": export.name,
                "gives": export.query.answers,
                "file": export.file,
                "command": export.command,
                "source": export.source,
                "checked": export.checked,
            }
            for export in known
        ],
    )


def _coverage(result: ReportResult) -> str:
    return fill(f"rules     {result.coverage}", 80, subsequent_indent=" " * 10)


def _where(folder: Path, files: Sequence[Path]) -> str:
    """Return the folder, and every PDF in it, a line each."""
    return "\n".join(map(str, [folder, *(path for path in files if path.suffix == ".pdf")]))


def parse_formats(text: str) -> list[str]:
    """Return the formats of a list such as ``csv,pdf``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def on_engine(settings: Settings, engine: str | None, url: str | None) -> Settings:
    """Return settings with another engine, or another address of it.

    Raises:
        UsageError: there is no such engine.
    """
    if engine not in {None, "duckdb", "spark"}:
        raise UsageError(f"there is no engine '{engine}'", where="--engine", hint="use duckdb or spark")
    named: dict[str, Any] = {"engine": engine, "engine_url": url}
    given = {name: value for name, value in named.items() if value is not None}
    return replace(settings, warehouse=replace(settings.warehouse, **given))


def parse_as_of(text: str | None) -> datetime | None:
    """Return a moment in UTC without a zone; a bare date is its start.

    Raises:
        UsageError: it is neither a date nor a timestamp.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"'{text}' is neither a date nor a timestamp",
            where="--as-of",
            hint="write 2026-09-30, or 2026-09-30T18:00:00Z",
        ) from error
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _gate(fail_on: str, result: ReportResult) -> None:
    found = result.open_at_or_above(fail_on)
    if found:
        raise GateError(
            f"{counted(found, 'finding')} {'is' if found == 1 else 'are'} open at {fail_on} or above",
            where="--fail-on",
            hint=f"read {result.folder / 'findings.csv'}",
        )
