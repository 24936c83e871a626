"""``snapshots``: what has been extracted, and how complete each extract is."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.terminal import Terminal, align

__all__ = ["register"]

_group = typer.Typer(help="What has been extracted, and how complete it is.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.callback(invoke_without_command=True)(_default)
    _group.command("list", epilog="Example: access-review snapshots list")(list_snapshots)
    _group.command("show", epilog="Example: access-review snapshots show 20261101T000000Z-4f2a")(show_snapshot)
    app.add_typer(_group, name="snapshots")


def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_snapshots(context)


def list_snapshots(context: typer.Context) -> None:
    """List every snapshot, oldest first."""
    from pipeline.warehouse import database, landing

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        found = landing.snapshots(connection)
    rows = [(s.snapshot_id, s.completeness, s.finished_at, s.reason or "") for s in found]
    terminal.result(
        align(("snapshot", "completeness", "finished at (UTC)", "reason"), rows),
        [
            {
                "snapshot_id": s.snapshot_id,
                "completeness": s.completeness,
                "started_at": s.started_at,
                "finished_at": s.finished_at,
                "reason": s.reason,
            }
            for s in found
        ],
    )


def show_snapshot(
    context: typer.Context, snapshot_id: Annotated[str, typer.Argument(metavar="ID", help="The snapshot's id.")]
) -> None:
    """Show one snapshot: every completeness check with its result."""
    from pipeline.warehouse import database, landing

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        snapshot = landing.snapshot(connection, snapshot_id)
        checks = landing.reconciliation(connection, snapshot_id)
    header = ("source", "check", "result", "expected", "observed", "explanation")
    facts = [
        f"snapshot      {snapshot.snapshot_id}",
        f"completeness  {snapshot.completeness}" + (f": {snapshot.reason}" if snapshot.reason else ""),
        f"extracted     {snapshot.started_at:%Y-%m-%d %H:%M:%S} to {snapshot.finished_at:%Y-%m-%d %H:%M:%S} UTC",
        f"config        {snapshot.config_sha256}",
        "",
        align(header, checks),
    ]
    terminal.result(
        "\n".join(facts),
        {
            "snapshot_id": snapshot.snapshot_id,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "started_at": snapshot.started_at,
            "finished_at": snapshot.finished_at,
            "checks": [dict(zip(header, row, strict=True)) for row in checks],
        },
    )
