"""``snapshots``: every snapshot and its completeness; deleting old rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align
from pipeline.clock import as_stored, utc_now
from pipeline.reporting.text import count

if TYPE_CHECKING:
    from pipeline.warehouse.snapshots import Snapshot

__all__ = ["register"]

_group = Commands(help="List snapshots and their completeness; delete old rows.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.callback(invoke_without_command=True)(_default)
    _group.command("list", epilog="Example: access-review snapshots list")(list_snapshots)
    _group.command("show", epilog="Example: access-review snapshots show 20261101T000000Z-4f2a")(show_snapshot)
    _group.command("prune", epilog="Example: access-review snapshots prune --keep-days 400 --dry-run")(
        prune_snapshots
    )
    app.add_typer(_group, name="snapshots")


def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_snapshots(context)


def list_snapshots(context: typer.Context) -> None:
    """List every snapshot, oldest first."""
    from pipeline.warehouse import database, snapshots

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        found = snapshots.list_all(connection)
    rows = [(s.snapshot_id, s.completeness, s.finished_at, _remark(s)) for s in found]
    terminal.result(
        align(("snapshot", "completeness", "finished at (UTC)", "remark"), rows),
        [
            {
                "snapshot_id": s.snapshot_id,
                "completeness": s.completeness,
                "started_at": s.started_at,
                "finished_at": s.finished_at,
                "reason": s.reason,
                "pruned_at": s.pruned_at,
            }
            for s in found
        ],
    )


def _remark(snapshot: Snapshot) -> str:
    pruned = f"pruned on {snapshot.pruned_at:%Y-%m-%d}" if snapshot.pruned_at else None
    return "; ".join(filter(None, (pruned, snapshot.reason)))


def show_snapshot(
    context: typer.Context,
    snapshot_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The snapshot's id (default: the newest).")
    ] = None,
) -> None:
    """Show one snapshot and its completeness checks."""
    from pipeline.warehouse import database, snapshots

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        snapshot = snapshots.get(connection, snapshot_id) if snapshot_id else snapshots.latest(connection)
        checks = snapshots.reconciliation(connection, snapshot.snapshot_id)
        objects = snapshots.object_states(connection, snapshot.snapshot_id)
    header = ("source", "check", "result", "gate", "expected", "observed", "explanation")
    keys = ("source", "check_id", "result", "is_gate", *header[4:])
    facts = [
        f"snapshot      {snapshot.snapshot_id}",
        f"completeness  {snapshot.completeness}" + (f": {snapshot.reason}" if snapshot.reason else ""),
        f"extracted     {snapshot.started_at:%Y-%m-%d %H:%M:%S} to {snapshot.finished_at:%Y-%m-%d %H:%M:%S} UTC",
        *(f"objects       {source}: {state}: {lists}" for source, state, lists in objects),
        f"config        SHA-256 {snapshot.config_sha256}",
        *([f"pruned        {snapshot.pruned_at:%Y-%m-%d %H:%M:%S} UTC"] if snapshot.pruned_at else []),
        "",
        align(header, [(*row[:3], "yes" if row[3] else "no", *row[4:]) for row in checks]),
    ]
    terminal.result(
        "\n".join(facts),
        {
            "snapshot_id": snapshot.snapshot_id,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "started_at": snapshot.started_at,
            "finished_at": snapshot.finished_at,
            "pruned_at": snapshot.pruned_at,
            "objects": [{"source": source, "state": state, "lists": lists} for source, state, lists in objects],
            "checks": [dict(zip(keys, row, strict=True)) for row in checks],
        },
    )


def prune_snapshots(
    context: typer.Context,
    keep_days: Annotated[
        int,
        typer.Option("--keep-days", min=1, max=36_500, metavar="N", help="Keep everything of the last N days."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted; delete nothing.")] = False,
) -> None:
    """Delete the rows and the events of old snapshots.

    The list of snapshots keeps their dates and completeness, and the trend keeps its counts. Snapshots that a
    campaign reviews or a report shows or is compared with are kept, and so are the newest and the newest complete
    one.
    Campaigns, decisions and report folders are never touched.
    """
    from pipeline.warehouse import database, retention

    terminal: Terminal = context.obj
    now = as_stored(utc_now())
    before, path = now - timedelta(days=keep_days), terminal.settings().warehouse.database
    if dry_run:
        with database.reading(path, notify=terminal.note) as connection:
            found = retention.prunable(connection, before=before)
        ids, events = found.snapshots, len(found.events)
    else:
        with database.writing(path, notify=terminal.note) as connection:
            ids = retention.prune(connection, before=before, now=now)
            events = retention.prune_events(connection, before=before)
    if ids or terminal.json:
        terminal.result("\n".join(ids), {"snapshot_ids": ids, "events": events, "dry_run": dry_run})
    verb = "would prune" if dry_run else "pruned"
    terminal.say(f"{verb} {count(len(ids), 'snapshot')}" + (f" and {count(events, 'event')}" if events else ""))
