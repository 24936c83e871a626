"""``diff``: joiners, movers and leavers between two snapshots, and grants added or removed."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from pipeline.cli.terminal import Terminal, align
from pipeline.errors import GateError
from pipeline.wording import counted

__all__ = ["register"]

#: Columns with the same value in every row.
_LEFT_OUT = ("baseline_snapshot_id", "snapshot_id")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff", epilog="Example: access-review diff 20261001T000000Z-4f2a 20261101T000000Z-77c0")(diff)


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier snapshot's id.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later snapshot's id.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if anything changed, as 'git diff' does.")
    ] = False,
) -> None:
    """Compare two snapshots: joiners, movers, leavers, grants."""
    from pipeline.warehouse import comparison, database

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        columns, rows = comparison.changes(connection, old, new)
    header = [name for name in columns if name not in _LEFT_OUT]
    changes = [dict(zip(columns, row, strict=True)) for row in rows]
    shown = [[change[name] for name in header] for change in changes]
    terminal.result(
        align(header, shown),
        {"old": old, "new": new, "changes": [dict(zip(header, row, strict=True)) for row in shown]},
    )
    counts = Counter(f"{change['object_kind']} {change['change']}" for change in changes)
    terminal.say(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing changed")
    if exit_code and rows:
        raise GateError(
            f"{counted(len(rows), 'change')} between the snapshots",
            where=f"{old} to {new}",
            hint="the changes are listed above; without --exit-code this command exits with 0",
        )
