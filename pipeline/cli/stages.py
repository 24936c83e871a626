"""The main job and its stages: ``run``, ``extract``, ``build``, ``report``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal, align
from pipeline.errors import GateError, UsageError, exit_code
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.project import Result

__all__ = ["register", "show"]

SEVERITIES = ("critical", "high", "medium", "low", "info")

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
    app.command(epilog="Example: access-review report --format csv")(report)


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
    from pipeline import project as stages

    terminal: Terminal = context.obj
    if fail_on is not None and fail_on not in SEVERITIES:
        raise UsageError(
            f"'{fail_on}' is not a severity", where="--fail-on", hint=f"use one of: {', '.join(SEVERITIES)}"
        )
    moment = parse_as_of(as_of)
    wanted = parse_formats(formats)
    settings = terminal.settings()
    with terminal.progress():
        result = stages.run(
            settings,
            os.environ,
            terminal,
            formats=wanted,
            as_of=moment,
            directory=out,
            allow_partial=allow_partial,
        )
    show(terminal, result)
    if fail_on is not None:
        _gate(fail_on, result)


def extract(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Names of sources (default: all).")
    ] = None,
) -> None:
    """Read the sources into a new snapshot."""
    from pipeline import project as stages

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with terminal.progress():
        extracted = stages.extract(settings, sources or (), os.environ, terminal)
    snapshot = extracted.snapshot
    reason = f": {snapshot.reason}" if snapshot.reason else ""
    terminal.result(
        f"{snapshot.snapshot_id} {snapshot.completeness}{reason}",
        {
            "snapshot_id": snapshot.snapshot_id,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "started_at": snapshot.started_at,
            "finished_at": snapshot.finished_at,
        },
    )
    for failure in extracted.failures:
        terminal.fail(failure)
    if snapshot.completeness != "FULL":
        if not extracted.failures:  # every source answered, and a completeness check failed all the same
            terminal.fail(stages.incomplete(snapshot))
        raise typer.Exit(exit_code([3, *(failure.exit_code for failure in extracted.failures)]))


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
) -> None:
    """Make the graph, the findings and the report tables."""
    from pipeline import project as stages

    terminal: Terminal = context.obj
    moment = parse_as_of(as_of)
    settings = terminal.settings()
    with terminal.progress():
        built = stages.build(
            settings,
            terminal,
            snapshot_id=snapshot,
            as_of=moment,
            baseline=baseline,
            allow_partial=allow_partial,
        )
    terminal.result(
        f"{built.build_id[:16]} {built.folder}: {counted(built.rows['graph.accounts'], 'account')}, "
        f"{counted(built.rows['findings.register'], 'finding')}",
        {
            "snapshot_id": built.snapshot_id,
            "build_id": built.build_id,
            "accounts": built.rows["graph.accounts"],
            "folder": settings.reports.directory / built.folder,
            "rows": built.rows,
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
    out: Out = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Write the report of the current build, or of --snapshot."""
    from pipeline import project as stages

    terminal: Terminal = context.obj
    wanted = parse_formats(formats)
    settings = terminal.settings()
    with terminal.progress():
        current, newest = stages.current_and_newest(settings, terminal)
        if snapshot is not None and current != snapshot:
            stages.build(settings, terminal, snapshot_id=snapshot, allow_partial=allow_partial)
        elif snapshot is None and current is not None and current != newest:
            terminal.note(f"this report is of snapshot {current}; the newest, {newest}, is not the current build")
        written = stages.report(
            settings,
            os.environ,
            terminal,
            formats=wanted,
            directory=out,
            allow_partial=allow_partial,
            annex=annex,
        )
    terminal.say(fill(f"rules     {written.coverage}", 80, subsequent_indent=" " * 10))
    terminal.result(
        _where(written.folder, written.files),
        {
            "folder": written.folder,
            "files": written.files,
            "findings": by_severity(written.open_findings),
            "unevaluated_rules": [asdict(rule) for rule in written.unevaluated_rules],
        },
    )


def show(terminal: Terminal, result: Result) -> None:
    """Print what a run found, on stderr, and where the report is, on stdout."""
    findings = by_severity(result.open_findings)
    counts = ", ".join(f"{count} {severity}" for severity, count in findings.items())
    snapshot = result.snapshot
    terminal.say(f"snapshot  {snapshot.snapshot_id} {snapshot.completeness}")
    terminal.say(f"accounts  {result.build.rows['graph.accounts']}")
    terminal.say(f"findings  {sum(findings.values())} open: {counts}")
    terminal.say(fill(f"rules     {result.coverage}", 80, subsequent_indent=" " * 10))
    if terminal.verbose:
        header = ("stage", "seconds", "rows", "peak memory, MB")
        terminal.say(align(header, [(s.stage, s.seconds, s.rows, s.peak_memory_mb) for s in result.stages]))
    terminal.result(
        _where(result.folder, result.files),
        {
            "snapshot_id": snapshot.snapshot_id,
            "build_id": result.build.build_id,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "accounts": result.build.rows["graph.accounts"],
            "findings": findings,
            "unevaluated_rules": [asdict(rule) for rule in result.unevaluated_rules],
            "folder": result.folder,
            "files": result.files,
            "stages": [asdict(stage) for stage in result.stages],
        },
    )


def by_severity(findings: Mapping[str, int]) -> dict[str, int]:
    """Return how many findings are open of every severity, the highest first."""
    return {severity: findings.get(severity, 0) for severity in SEVERITIES}


def _where(folder: Path, files: Sequence[Path]) -> str:
    """Return the folder, and every PDF in it, a line each."""
    return "\n".join(map(str, [folder, *(path for path in files if path.suffix == ".pdf")]))


def parse_formats(text: str) -> frozenset[str]:
    """Return the formats of a list such as ``csv,pdf``.

    Raises:
        UsageError: one of them does not exist, or there is none.
    """
    from pipeline.reporting.report import FORMATS

    wanted = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not wanted or wanted - FORMATS:
        unknown = ", ".join(sorted(wanted - FORMATS)) or text
        raise UsageError(f"'{unknown}' is not a format", where="--format", hint=f"use: {', '.join(sorted(FORMATS))}")
    return wanted


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


def _gate(fail_on: str, result: Result) -> None:
    at_or_above = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    found = sum(result.open_findings.get(severity, 0) for severity in at_or_above)
    if found:
        raise GateError(
            f"{counted(found, 'finding')} {'is' if found == 1 else 'are'} open at {fail_on} or above",
            where="--fail-on",
            hint=f"read {result.folder / 'findings.csv'}",
        )
