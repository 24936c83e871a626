"""Reports a bug: writes a file with the traceback that is safe to send to the maintainers."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator

from pipeline import __version__
from pipeline.errors import AccessReviewError

__all__ = ["report"]


def report(error: Exception, command: str) -> AccessReviewError:
    """Write the traceback to a new file that only its owner can read; return an error that names the file.

    The file has the place of every call and the type of every exception. It leaves out the messages of exceptions and
    the values of variables, which can hold account data or secrets. ``--debug`` shows them on the terminal.
    """
    import tempfile

    message = f"a bug in the program: {type(error).__name__}"
    again = "run the command again with --debug to see the messages, which the file leaves out"
    try:
        descriptor, path = tempfile.mkstemp(prefix="access-review-bug-", suffix=".txt")  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(f"{line}\n" for line in _lines(error, command))
    except OSError:
        return AccessReviewError(
            message,
            where=command,
            hint="run it again with --debug, and send the traceback to the maintainers",
        )
    return AccessReviewError(
        f"{message}; the traceback was written",
        where=path,
        hint=f"send this file to the maintainers of sisense-access-review; {again}",
    )


def _lines(error: Exception, command: str) -> Iterator[str]:
    import platform

    yield f"sisense-access-review {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield f"command: {command}"
    for place in _chain(error):
        yield ""
        yield type(place).__name__
        yield from (line.rstrip("\n") for line in traceback.format_tb(place.__traceback__))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, the newest first."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
