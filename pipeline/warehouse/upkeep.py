"""Looks after the file of the database: upgrades, shrinks, copies and restores it, and deletes old copies.

A new file is complete and on the disk before it gets its name, so that a process that is killed leaves the old
database or the new one. Where a file is replaced, this process holds the lock of the old one: DuckDB lets no other
process read or write it meanwhile.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import atomic
from pipeline.clock import utc_now
from pipeline.errors import DatabaseLockedError, UsageError, WarehouseError
from pipeline.warehouse import checkup, copies, database, migrations
from pipeline.warehouse.connection import LOCK_WAIT, Connection, opened

__all__ = ["Restored", "Upgraded", "backup", "compact", "prune_backups", "restore", "upgrade"]

#: What follows the name of the database in the name of a copy beside it: its version, or when it was replaced.
_BACKUP = re.compile(r"\.(?:v\d+|replaced-\d{8}T\d{6}Z)\.bak")

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The schema versions before and after, and the copy from before; it is None if there was nothing to upgrade."""

    before: int
    after: int
    backup: Path | None


@dataclass(frozen=True, slots=True)
class Restored:
    """The schema version of the restored database, and where the replaced one is; None if there was none."""

    version: int
    replaced: Path | None


def upgrade(path: Path, *, notify: Notify) -> Upgraded:
    """Upgrade a database to the version of this program; one that has it already stays as it is.

    Raises:
        WarehouseError: there is no database, or it cannot be upgraded; it is as before.
    """
    _require(path)
    with opened(path, read_only=True, notify=notify) as connection:
        before = migrations.require_known(connection, path)
    with database.writing(path, notify=notify):
        after = migrations.newest_version()
    return Upgraded(before, after, migrations.backup_name(path, before) if before < after else None)


def compact(path: Path, *, notify: Notify, wait: float = LOCK_WAIT) -> tuple[int, int]:
    """Write the database anew without its free space; return the bytes of the file before and after.

    Raises:
        DatabaseLockedError: another process uses the database for longer than ``wait`` seconds.
        WarehouseError: there is no database, or no room for a second one; it is as before.
    """
    _require(path)
    with database.writing(path, notify=notify, wait=wait) as connection:
        connection.execute("checkpoint")
        before = path.stat().st_size
        copies.require_room(path, before)
        own = connection.execute("select current_database()").fetchall()[0][0]
        with _draft_of(path) as draft:
            connection.execute("attach $path as compacted", {"path": str(draft)})
            connection.execute(f'copy from database "{own}" to compacted')
            connection.execute("detach compacted")
            _require_equal(connection, draft)
            _finish(draft, path)
            draft.replace(os.path.realpath(path))
    return before, path.stat().st_size


def backup(path: Path, target: Path, *, notify: Notify) -> int:
    """Copy the database to a new file; return its bytes. Other processes may read meanwhile, and none can write.

    Raises:
        UsageError: the file exists already.
        WarehouseError: the database cannot be read, or the file not be written.
    """
    _require(path)
    if target.exists() or target.is_symlink():
        raise UsageError("the file exists already", where=str(target), hint="name a new file; nothing was written")
    with opened(path, read_only=True, notify=notify) as connection:
        migrations.require_known(connection, path)
        with _draft_of(target) as draft:
            _copy(path, draft, notify, shown=target)
            _finish(draft, path)
            draft.rename(target)
    return target.stat().st_size


def restore(path: Path, source: Path, *, notify: Notify, wait: float = LOCK_WAIT) -> Restored:
    """Put a copy in the place of the database, which is kept beside it under another name.

    Every row of the copy is read first.

    Raises:
        DatabaseLockedError: another process uses the database for longer than ``wait`` seconds, or the copy.
        UsageError: the copy is the database itself.
        WarehouseError: the copy is not a database that this program can use, or is damaged; nothing has changed.
    """
    if not source.exists():
        raise WarehouseError("the file does not exist", where=str(source), hint="name a copy of the database")
    if path.exists() and path.samefile(source):
        raise UsageError("this is the database itself", where=str(source), hint="name a copy of it")
    with opened(source, read_only=True, notify=notify) as connection:
        version = migrations.require_known(connection, source)
        _counts, damaged = checkup.readable(connection)
        if damaged:
            raise WarehouseError(
                f"the copy is damaged: {damaged[0].place} {damaged[0].problem}",
                where=str(source),
                hint="restore another copy; nothing was changed",
            )
        with _draft_of(path) as draft:
            _copy(source, draft, notify, shown=path)
            _finish(draft, path if path.exists() else source)
            return Restored(version, _replace(path, draft, notify, wait))


def prune_backups(path: Path, *, notify: Notify) -> list[tuple[Path, int]]:
    """Delete the copies that upgrades and restores left beside the database; return each with its bytes.

    Raises:
        WarehouseError: the database itself cannot be opened, or is not upgraded yet: the copies may be needed.
    """
    with database.reading(path, notify=notify):
        found = sorted(
            other
            for other in path.parent.iterdir()
            if other.name.startswith(path.name) and _BACKUP.fullmatch(other.name.removeprefix(path.name))
        )
        pruned = [(other, other.stat().st_size) for other in found]
        for other in found:
            other.unlink()
    return pruned


def _require(path: Path) -> None:
    if not path.exists():
        raise WarehouseError(
            "there is no database yet",
            where=str(path),
            hint="run 'access-review run' first, or 'access-review database restore' if you have a copy",
        )


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Yield the path of a new file on the same disk, which is deleted unless it gets another name."""
    try:
        with atomic.scratch_folder(Path(os.path.realpath(path)).parent, path.name) as folder:
            yield folder / path.name
    except OSError as error:
        raise WarehouseError(
            f"the file cannot be written: {error.strerror or error}",
            where=str(path),
            hint="check the folder, its permissions and the free space; the database is as before",
        ) from error


def _copy(path: Path, draft: Path, notify: Notify, *, shown: Path) -> None:
    """Copy a database that this process has open, into one file; an error names ``shown``."""
    if copies.copy_open(path, draft, shown=shown):
        with opened(draft, read_only=False, notify=notify) as connection:
            connection.execute("checkpoint")


def _finish(draft: Path, like: Path) -> None:
    """Give a new database the permissions of another one, and wait until it is on the disk."""
    draft.chmod(stat.S_IMODE(like.stat().st_mode))
    handle = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _require_equal(connection: Connection, draft: Path) -> None:
    """Refuse a copy in which a table has other rows than in the open database, by their number and hashes."""
    with opened(draft, read_only=True, notify=lambda _: None) as copied:
        if checkup.readable(copied) != checkup.readable(connection):
            raise WarehouseError(
                "the compacted database does not have the same rows",
                where=str(draft),
                hint="the database is as before; run 'access-review database check'",
            )


def _replace(path: Path, draft: Path, notify: Notify, wait: float) -> Path | None:
    """Give a complete database its name; return the new name of the one that had it before, or None."""
    if not path.exists():
        draft.rename(path)
        return None
    kept = path.with_name(f"{path.name}.replaced-{utc_now():%Y%m%dT%H%M%SZ}.bak")
    try:
        with opened(path, read_only=False, notify=notify, wait=wait) as connection:
            connection.execute("checkpoint")
            _exchange(path, draft, kept)
    except DatabaseLockedError:
        raise
    except WarehouseError as error:  # the database that is replaced may be damaged
        notify(f"the replaced database cannot be opened: {error.message}")
        for wal in copies.wal_files(path):
            wal.rename(kept.with_name(kept.name + wal.name.removeprefix(path.name)))
        _exchange(path, draft, kept)
    return kept


def _exchange(path: Path, draft: Path, kept: Path) -> None:
    final = Path(os.path.realpath(path))
    try:
        kept.hardlink_to(final)
    except OSError:  # the file system has no hard links: for a moment there is no database
        final.rename(kept)
    draft.replace(final)
