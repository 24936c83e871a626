"""Replaces a file or a folder in one step: a reader finds the old content or the new, never a part of it.

New content is written under a temporary name beside the final one and renamed when it is complete. Whatever
interrupts the writing, the old content stays as it was. A draft is locked while its process lives, so the next
process can tell the drafts of killed processes from those of running ones, and removes them.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["replace_file", "replace_folder", "scratch_folder"]

#: Endings of the temporary names: content that is not complete yet, and a folder that is being replaced.
_DRAFT, _FORMER = "partial", "former"


@contextmanager
def replace_file(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield the path of an empty file that takes the place of ``path`` when the block ends without an exception.

    A symbolic link keeps pointing to the file that is replaced. A device or a pipe is written to directly. Without
    ``mode`` the permissions are those of the file that is replaced, or the usual ones of a new file. The content
    is on the disk before it gets its name.

    Raises:
        OSError: the file cannot be written or renamed.
    """
    final = Path(os.path.realpath(path))
    if final.exists() and not final.is_file():
        yield path
        return
    draft = final.with_name(f".{final.name}.{os.getpid()}.{_DRAFT}")
    try:
        for other in _drafts(final.parent, final.name):
            if other.is_file():
                other.unlink(missing_ok=True)
        os.close(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666 if mode is None else mode)
        )
        if mode is None and final.exists():
            draft.chmod(stat.S_IMODE(final.stat().st_mode))
        with _locked(draft):
            yield draft
            _flush(draft)
            draft.replace(final)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield the path of an empty folder that takes the place of ``folder`` when the block ends without an exception.

    Folders that a killed process was replacing beside this one get their names back.

    Raises:
        OSError: the folder cannot be written or renamed.
    """
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.{_DRAFT}")
    former = folder.with_name(f".{folder.name}.{os.getpid()}.{_FORMER}")
    try:
        _restore_folders(folder.parent)
        draft.mkdir(parents=True)
        with _locked(draft):
            yield draft
            if folder.exists():
                folder.rename(former)
            try:
                draft.rename(folder)
            except OSError:
                if former.exists():
                    former.rename(folder)
                raise
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield the path of an empty folder for temporary files, which is removed when the block ends.

    Folders of this name that killed processes left in ``parent`` are removed too.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = parent / f".{name}.{os.getpid()}.{_DRAFT}"
    for other in _drafts(parent, name):
        shutil.rmtree(other, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file or folder; the operating system releases it however the process ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # without locks in the file system, drafts are never removed
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _drafts(directory: Path, name: str = "*") -> Iterator[Path]:
    """Yield the drafts that killed processes have left in a directory, of one name or of all."""
    pattern = name if name == "*" else glob.escape(name)
    for draft in sorted(directory.glob(f".{pattern}.*.{_DRAFT}")):
        if _pid(draft).isdecimal() and not draft.is_symlink() and not _is_locked(draft):
            yield draft


def _pid(draft: Path) -> str:
    return draft.name.removesuffix(f".{_DRAFT}").rpartition(".")[2]


def _restore_folders(directory: Path) -> None:
    """Remove the folders that killed processes were writing, and restore those that they were replacing."""
    for draft in _drafts(directory):
        if not draft.is_dir():
            continue
        shutil.rmtree(draft, ignore_errors=True)
        former = draft.with_suffix(f".{_FORMER}")
        folder = draft.with_name(former.stem[1:].rpartition(".")[0])
        if former.is_dir() and not folder.exists():
            former.rename(folder)
        shutil.rmtree(former, ignore_errors=True)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
