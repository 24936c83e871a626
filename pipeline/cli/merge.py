"""``merge``: join the shards of a source, read by several extracts, into one snapshot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Terminal
from pipeline.errors import IncompleteError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: access-review merge 20261101T000000Z-4f2a 20261101T000002Z-91c0")(merge)


def merge(
    context: typer.Context,
    snapshots: Annotated[
        list[str], typer.Argument(metavar="SNAPSHOT", help="Ids of the snapshots to merge: every shard once.")
    ],
    databases: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Look for snapshots in this database too (repeatable)."),
    ] = None,
    within: Annotated[
        float,
        typer.Option(
            metavar="HOURS", min=0, help="Refuse snapshots that took longer, from the first start to the last end."
        ),
    ] = 24,
) -> None:
    """Merge the snapshots of several extracts, such as shards."""
    terminal: Terminal = context.obj
    project = terminal.project()
    with terminal.progress():
        result = project.merge(*snapshots, databases=databases or (), within=timedelta(hours=within))
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
    for error in result.errors():
        terminal.fail(error)
        raise typer.Exit(IncompleteError.exit_code)
