"""``database``: checks, compacts, copies, restores and upgrades the file of the database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align
from pipeline.errors import WarehouseError
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.warehouse.checkup import Checkup

__all__ = ["register"]

_group = Commands(help="Check, back up, restore, compact or upgrade the database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.command(epilog="Example: access-review database check")(check)
    _group.command(epilog="Example: access-review database backup /backups/access-review-2026-11.duckdb")(backup)
    _group.command(epilog="Example: access-review database restore access-review.duckdb.v1.bak")(restore)
    _group.command(epilog="Example: access-review database compact")(compact)
    _group.command(epilog="Example: access-review database upgrade")(upgrade)
    _group.command("prune-backups", epilog="Example: access-review database prune-backups")(prune_backups)
    app.add_typer(_group, name="database")


def check(context: typer.Context) -> None:
    """Read every row, find missing ones, and list table sizes.

    Exits with 4 if something is wrong. Nothing is changed; others may read the database meanwhile.
    """
    from pipeline.warehouse import checkup, database

    terminal: Terminal = context.obj
    path = terminal.settings().warehouse.database
    with database.reading(path, notify=terminal.note) as connection:
        found = checkup.check(connection, path)
    terminal.result(_checked(path, found), asdict(found))
    if found.problems:
        raise WarehouseError(
            f"the database has {counted(len(found.problems), 'problem')}",
            where=str(path),
            hint="restore a backup with 'access-review database restore', or report it if there is none",
        )


def _checked(path: Path, found: Checkup) -> str:
    filled = sorted((table for table in found.tables if table.rows), key=lambda table: (-table.bytes, table.name))
    rows = [(table.name, f"{table.rows:,}", f"{table.bytes:,}") for table in filled]
    verdict = counted(len(found.problems), "problem") if found.problems else "no problems"
    return "\n".join(
        [
            *([align(("table", "rows", "bytes"), rows), ""] if rows else []),
            *(f"{problem.place}: {problem.problem}" for problem in found.problems),
            f"{verdict}: {path}, {counted(found.bytes, 'byte')}, {counted(found.free_bytes, 'byte')} of them free",
        ]
    )


def backup(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The new file.")],
) -> None:
    """Copy the database to a new file.

    Other commands may read the database meanwhile. An existing file is never overwritten.
    """
    from pipeline.warehouse import upkeep

    terminal: Terminal = context.obj
    size = upkeep.backup(terminal.settings().warehouse.database, path, notify=terminal.note)
    terminal.result(str(path), {"path": path, "bytes": size})
    terminal.say(f"copied {counted(size, 'byte')}")


def restore(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A copy of the database.")],
) -> None:
    """Put a copy in the place of the database.

    Every row of the copy is read first. The replaced database is kept beside the restored one.
    """
    from pipeline.warehouse import migrations, upkeep

    terminal: Terminal = context.obj
    database = terminal.settings().warehouse.database
    done = upkeep.restore(database, path, notify=terminal.note)
    terminal.result(
        "\n".join([f"restored  {database}", *([f"replaced  {done.replaced}"] if done.replaced else [])]),
        {"path": database, "schema_version": done.version, "replaced": done.replaced},
    )
    if done.version < migrations.newest_version():
        terminal.say(
            f"it has schema version {done.version}: the next command that writes upgrades it, unless you go back to "
            "the version of the program that made it"
        )


def compact(context: typer.Context) -> None:
    """Write the database anew without its free space.

    The old file stays until the new one is complete. No other command can use the database meanwhile.
    """
    from pipeline.warehouse import upkeep

    terminal: Terminal = context.obj
    path = terminal.settings().warehouse.database
    before, after = upkeep.compact(path, notify=terminal.note)
    terminal.result(
        f"{path}: {counted(before, 'byte')} before, {counted(after, 'byte')} now",
        {"path": path, "bytes_before": before, "bytes": after},
    )


def upgrade(context: typer.Context) -> None:
    """Upgrade the database of an earlier version.

    A copy is kept beside it. Commands that write upgrade it too; commands that only read do not.
    """
    from pipeline.warehouse import upkeep

    terminal: Terminal = context.obj
    path = terminal.settings().warehouse.database
    done = upkeep.upgrade(path, notify=terminal.note)
    said = f"upgraded from schema version {done.before} to {done.after}" if done.backup else "nothing to upgrade"
    terminal.result(
        f"{path}: {said}",
        {"path": path, "version_before": done.before, "version": done.after, "backup": done.backup},
    )


def prune_backups(context: typer.Context) -> None:
    """Delete the copies left by upgrades and restores.

    Backups that you made with 'database backup' are kept.
    """
    from pipeline.warehouse import upkeep

    terminal: Terminal = context.obj
    pruned = upkeep.prune_backups(terminal.settings().warehouse.database, notify=terminal.note)
    if pruned or terminal.json:
        terminal.result(
            "\n".join(str(path) for path, _ in pruned), [{"path": path, "bytes": size} for path, size in pruned]
        )
    terminal.say(f"deleted {counted(len(pruned), 'copy')}")
