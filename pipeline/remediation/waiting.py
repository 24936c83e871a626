"""Time for a change to show when it is read back, and locks that all processes of one database share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pipeline.errors import SourceError, UsageError
from pipeline.sources.errors import RefusedError

__all__ = ["is_refused", "locked", "read_back", "read_until"]

_T = TypeVar("_T")

#: Seconds before a change that does not show is looked for again: the server may still be at work, or read from a
#: replica that lags behind.
_PAUSES = (1.0, 3.0)
#: The status of a redirect to a login page, which does not show whether the change was made.
_REDIRECT = 302


def is_refused(error: SourceError | None) -> bool:
    """Return whether the answer to a change proves that it was not made."""
    return isinstance(error, RefusedError) and error.status != _REDIRECT


async def read_until(
    read: Callable[[], Awaitable[_T]], is_done: Callable[[_T], bool], sleep: Callable[[float], Awaitable[None]]
) -> _T:
    """Read until ``is_done``, but no longer than a change may take to show; return what was read last."""
    found = await read()
    for pause in _PAUSES:
        if is_done(found):
            break
        await sleep(pause)
        found = await read()
    return found


async def read_back(
    read: Callable[[], Awaitable[_T]],
    is_made: Callable[[_T], bool],
    error: SourceError | None,
    sleep: Callable[[float], Awaitable[None]],
) -> _T:
    """Read what was changed; unless the answer was a refusal, give the change time to show."""
    return await read_until(read, lambda found: is_refused(error) or is_made(found), sleep)


@contextmanager
def locked(database: Path, name: str, *, busy: str | None = None) -> Iterator[None]:
    """Hold a lock beside the database, which all processes that use the database share.

    ``name`` identifies the lock. If another process holds it, wait; with ``busy``, raise an error with that message.

    Raises:
        UsageError: another process holds it, or the lock cannot be created.
    """
    path = database.with_name(f"{database.name}.{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _acquired(path, wait=busy is None)
    except BlockingIOError as error:
        raise UsageError(busy or "it is locked", where=str(path), hint="wait until it has ended") from error
    except OSError as error:
        raise UsageError(
            f"the lock cannot be created: {error.strerror}", where=str(path), hint="check the folder's permissions"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _acquired(path: Path, *, wait: bool) -> int:
    """Open and lock the file that has this name now; its previous holder removes the name when it ends."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
