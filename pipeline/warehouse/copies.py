"""Copies the file of a database while it is open, and finds the copies beside it.

DuckDB holds POSIX locks on the file. A process loses all its locks on a file as soon as it closes any descriptor of
that file, so another process has to read it.
"""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

from pipeline import atomic
from pipeline.errors import WarehouseError

__all__ = ["copy", "copy_files", "copy_open", "megabytes", "require_room", "unwritten", "wal_files"]

#: What the other process runs. It imports nothing of the program.
_PROGRAM = "import shutil, sys; [shutil.copyfile(*pair) for pair in zip(sys.argv[1::2], sys.argv[2::2])]"


def copy(path: Path, target: Path) -> None:
    """Copy a database whose changes are all in its file; ``target`` is complete and on the disk, or as it was.

    The caller has the database open, so that no other process changes it.

    Raises:
        WarehouseError: there is no room, or the file cannot be read or written.
    """
    require_room(target, path.stat().st_size)
    try:
        with atomic.replace_file(target, mode=stat.S_IMODE(path.stat().st_mode)) as draft:
            copy_files([(path, draft)], target)
    except OSError as error:
        raise unwritten(error.strerror or str(error), target) from error


def copy_files(pairs: list[tuple[Path, Path]], shown: Path) -> None:
    """Copy files in another process, each to the path beside it; an error names ``shown``.

    Raises:
        WarehouseError: one cannot be read or written.
    """
    names = [str(path) for pair in pairs for path in pair]
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-I", "-S", "-c", _PROGRAM, *names],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it was ended"])[-1]
        raise unwritten(reason.partition("] ")[2] or reason, shown)


def copy_open(path: Path, target: Path, *, shown: Path) -> bool:
    """Copy a database that this process has open, with the changes that are not in its file yet.

    Return whether there are such changes: they are in a file beside ``target``, which DuckDB reads with it. An error
    names ``shown``, because ``target`` has a temporary name.

    Raises:
        WarehouseError: there is no room, or a file cannot be read or written.
    """
    pairs = [(path, target)]
    pairs += [(wal, target.with_name(target.name + wal.name.removeprefix(path.name))) for wal in wal_files(path)]
    require_room(shown, sum(of.stat().st_size for of, _ in pairs))
    copy_files(pairs, shown)
    return len(pairs) > 1


def wal_files(path: Path) -> list[Path]:
    """Return the files beside a database that hold changes which are not in its file yet."""
    return [other for other in path.parent.iterdir() if other.name.startswith(f"{path.name}.wal") and other.is_file()]


def require_room(target: Path, size: int) -> None:
    """Refuse to write a file of a size for which the disk has no room.

    Raises:
        WarehouseError: there is less space, or the folder does not exist.
    """
    try:
        free = shutil.disk_usage(target.parent).free
    except OSError as error:
        raise unwritten(error.strerror or str(error), target) from error
    if free < size:
        raise WarehouseError(
            f"a copy of the database needs {megabytes(size)}, but the disk has only {megabytes(free)} free",
            where=str(target),
            hint="free some space and run this again; nothing was changed",
        )


def megabytes(size: int) -> str:
    """Return a number of bytes in words: megabytes with one decimal."""
    return f"{size / 1e6:,.1f} MB"


def unwritten(reason: str, target: Path) -> WarehouseError:
    """Return the error for a copy of the database that cannot be written, for a reason of the system."""
    return WarehouseError(
        f"the database cannot be copied: {reason}",
        where=str(target),
        hint="check the free space on that disk, the folder and its permissions; nothing was changed",
    )
