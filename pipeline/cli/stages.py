"""The main job and its stages: ``run``, ``extract``, ``build``, ``report``."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal, align
from pipeline.errors import GateError, UsageError, exit_code

if TYPE_CHECKING:
    from pipeline.run import Result

__all__ = ["register", "show"]

SEVERITIES = ("critical", "high", "medium", "low", "info")

AsOf = Annotated[
    str | None, typer.Option(metavar="DATE", help="Judge at the start of this day (UTC), or at this ISO timestamp.")
]
AllowPartial = Annotated[bool, typer.Option(help="Go on with an extract that is not proven complete.")]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where report folders go, instead of [reports] directory.")
]
Snapshot = Annotated[str | None, typer.Option(metavar="ID", help="Which snapshot; the newest by default.")]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="LIST",
        help="Which files, of: csv, xlsx, html, pdf, graph. The CSV files are always there.",
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
    fail_on: Annotated[
        str | None, typer.Option(metavar="SEVERITY", help="End with 1 if a finding is open at or above this.")
    ] = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Extract, build, report: the main job."""
    from pipeline import run as stages
    from pipeline.reporting.report import DEFAULT_FORMATS

    terminal: Terminal = context.obj
    if fail_on is not None and fail_on not in SEVERITIES:
        raise UsageError(
            f"'{fail_on}' is not a severity", where="--fail-on", hint=f"use one of: {', '.join(SEVERITIES)}"
        )
    moment = parse_as_of(as_of)
    settings = terminal.settings()
    with terminal.progress():
        result = stages.run(
            settings,
            os.environ,
            terminal,
            formats=DEFAULT_FORMATS,
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
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="All of them by default.")
    ] = None,
) -> None:
    """Read the sources into a new snapshot."""
    from pipeline import run as stages

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
        raise typer.Exit(exit_code([3, *(failure.exit_code for failure in extracted.failures)]))


def build(
    context: typer.Context,
    snapshot: Snapshot = None,
    as_of: AsOf = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Compare with this snapshot; the previous complete one by default."),
    ] = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Turn a snapshot into the graph, the findings and the report tables."""
    from pipeline import run as stages

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
        f"{built.build_id[:16]} {built.folder}: {built.rows['graph.accounts']} accounts, "
        f"{built.rows['findings.register']} findings",
        {"build_id": built.build_id, "folder": built.folder, "rows": built.rows, "warnings": built.warnings},
    )


def report(
    context: typer.Context,
    snapshot: Snapshot = None,
    formats: Formats = "csv,xlsx,html,pdf",
    annex: Annotated[bool, typer.Option("--annex", help="Add a PDF that lists the whole population.")] = False,
    out: Out = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Write the report folder of the current build."""
    from pipeline import run as stages
    from pipeline.reporting.report import FORMATS

    terminal: Terminal = context.obj
    wanted = frozenset(name.strip() for name in formats.split(",") if name.strip())
    if not wanted or wanted - FORMATS:
        unknown = ", ".join(sorted(wanted - FORMATS)) or formats
        raise UsageError(f"'{unknown}' is not a format", where="--format", hint=f"use: {', '.join(sorted(FORMATS))}")
    settings = terminal.settings()
    with terminal.progress():
        if snapshot is not None and stages.current_snapshot_id(settings, terminal) != snapshot:
            stages.build(settings, terminal, snapshot_id=snapshot, allow_partial=allow_partial)
        folder, files, _ = stages.report(
            settings,
            os.environ,
            terminal,
            formats=wanted,
            directory=out,
            allow_partial=allow_partial,
            annex=annex,
        )
    terminal.result("\n".join(map(str, files)), {"folder": folder, "files": files})


def show(terminal: Terminal, result: Result) -> None:
    """Print what a run found and where it wrote it: for people on stderr, the paths on stdout."""
    counts = ", ".join(f"{result.open_findings.get(s, 0)} {s}" for s in SEVERITIES)
    snapshot = result.snapshot
    terminal.say(f"snapshot  {snapshot.snapshot_id} {snapshot.completeness}")
    terminal.say(f"accounts  {result.build.rows['graph.accounts']}")
    terminal.say(f"findings  {sum(result.open_findings.values())} open: {counts}")
    if terminal.verbose:
        header = ("stage", "seconds", "rows", "peak memory, MB")
        terminal.say(align(header, [(s.stage, s.seconds, s.rows, s.peak_memory_mb) for s in result.stages]))
    terminal.result(
        "\n".join(map(str, result.files)),
        {
            "snapshot_id": snapshot.snapshot_id,
            "build_id": result.build.build_id,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "accounts": result.build.rows["graph.accounts"],
            "open_findings": {severity: result.open_findings.get(severity, 0) for severity in SEVERITIES},
            "folder": result.folder,
            "files": result.files,
            "stages": [asdict(stage) for stage in result.stages],
        },
    )


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
            f"{found} findings are open at {fail_on} or above",
            where="--fail-on",
            hint=f"read {result.folder / 'findings.csv'}",
        )
