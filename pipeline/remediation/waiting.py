"""What a change needs besides the request: time to show, and a place of its own while it is made."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pipeline.errors import UsageError

__all__ = ["locked", "read_until"]

_T = TypeVar("_T")

#: Seconds before a change that does not show is looked for again: the server may still be at work on it, or read from
#: a copy that lags behind.
_LOOK_AGAIN = (1.0, 3.0)


async def read_until(
    read: Callable[[], Awaitable[_T]], is_so: Callable[[_T], bool], sleep: Callable[[float], Awaitable[None]]
) -> _T:
    """Read until it is as wanted, or until it clearly is not; return what was read last."""
    found = await read()
    for wait in _LOOK_AGAIN:
        if is_so(found):
            break
        await sleep(wait)
        found = await read()
    return found


@contextmanager
def locked(database: Path, name: str, *, busy: str | None = None) -> Iterator[None]:
    """Hold a lock beside the database, which all processes that use the database share.

    ``name`` says what is locked. Where another process holds it, wait, or refuse if ``busy`` says what is going on.

    Raises:
        UsageError: another process holds it, or the lock cannot be made.
    """
    path = database.with_name(f"{database.name}.{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _acquired(path, wait=busy is None)
    except BlockingIOError as error:
        raise UsageError(busy or "it is locked", where=str(path), hint="wait until it has ended") from error
    except OSError as error:
        raise UsageError(
            f"the lock cannot be made: {error.strerror}", where=str(path), hint="check the folder's permissions"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _acquired(path: Path, *, wait: bool) -> int:
    """Open and lock the file that has the name now: the holder before removes the name when it ends."""
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
