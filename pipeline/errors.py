"""Every error of the program, with the exit code of the command line for it.

Each says what happened (``message``), where (``where``) and what to do (``hint``). The branches follow what the
reader does next::

    AccessReviewError            70  (raised itself only to report a bug)
    ├── UsageError                2  correct the command line
    ├── ConfigurationError        2  correct the configuration, a policy file or the environment
    │   ├── MissingSecretError    2  set the environment variable it names
    │   └── RosterError           2  correct the roster file
    ├── SourceError               3  look at the source
    │   ├── UnreachableError      3  network, DNS, TLS, or the host stopped answering
    │   ├── LoginError            3  the credentials were refused; they are not tried again
    │   └── ContentError          3  the source answered with something unexpected
    ├── IncompleteError           3  the extract is PARTIAL and that was not allowed
    ├── WarehouseError            4  look at the database
    │   ├── DatabaseLockedError   4  another process holds it
    │   ├── SupersededError       4  another process has published another build meanwhile
    │   ├── ModelError            4  a file in sql/ is wrong
    │   └── QueryError            4  the user's own query is wrong
    ├── RenderError               5  look at the output folder or the system libraries
    └── GateError                 1  a condition of the caller was met, such as --fail-on; nothing is broken

Where several apply to one command, :func:`exit_code` returns the one that wins. Finer kinds of a SourceError, for the
requests to a source, are drawn in :mod:`pipeline.sources.errors`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

__all__ = [
    "AccessReviewError",
    "ConfigurationError",
    "ContentError",
    "DatabaseLockedError",
    "GateError",
    "IncompleteError",
    "LoginError",
    "MissingSecretError",
    "ModelError",
    "QueryError",
    "RenderError",
    "RosterError",
    "SourceError",
    "SupersededError",
    "UnreachableError",
    "UsageError",
    "WarehouseError",
    "exit_code",
]

_PRECEDENCE = (130, 70, 2, 3, 5, 4, 1, 0)


class AccessReviewError(Exception):
    """The base of all errors. Its text is ``<message> — <where>``; ``hint`` says what to do.

    An option as the place comes first: ``--due: <message>``. Without a place, the text is the message.
    """

    exit_code = 70

    def __init__(self, message: str, *, where: str, hint: str) -> None:
        told = f"{where}: {message}" if where.startswith("--") else f"{message} — {where}"
        super().__init__(told if where else message)
        self.message = message
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., AccessReviewError], tuple[str]]:
        """Support pickling, so that errors cross process boundaries unchanged."""
        return functools.partial(type(self), where=self.where, hint=self.hint), (self.message,)


class UsageError(AccessReviewError):
    """The command line, or a call of the API, asks for something that cannot be done."""

    exit_code = 2


class ConfigurationError(AccessReviewError):
    """The configuration, a policy file or the environment is wrong."""

    exit_code = 2


class MissingSecretError(ConfigurationError):
    """A command that contacts a source found no credential in the environment."""


class RosterError(ConfigurationError):
    """The roster cannot be read, or a line of it is wrong."""


class SourceError(AccessReviewError):
    """A source failed."""

    exit_code = 3


class UnreachableError(SourceError):
    """The source gave no usable answer within the allowed attempts and time."""


class LoginError(SourceError):
    """The source refused the credentials."""


class ContentError(SourceError):
    """The source answered with something unexpected."""


class IncompleteError(AccessReviewError):
    """The snapshot is PARTIAL, and the caller did not allow that."""

    exit_code = 3


class WarehouseError(AccessReviewError):
    """The database, a model, a check or a query failed."""

    exit_code = 4


class DatabaseLockedError(WarehouseError):
    """Another process held the database for longer than the program waits."""


class SupersededError(WarehouseError):
    """The build to report is no longer the current build of the database."""


class ModelError(WarehouseError):
    """A file in ``sql/`` breaks the format of models, its own declarations, or a check."""


class QueryError(WarehouseError):
    """A query of the user does not run."""


class RenderError(AccessReviewError):
    """A report could not be written."""

    exit_code = 5


class GateError(AccessReviewError):
    """A condition that the caller set was met, as with ``--fail-on``."""

    exit_code = 1


def exit_code(codes: Iterable[int]) -> int:
    """Return the code that wins when several apply: 130, 70, 2, 3, 5, 4, 1, then 0."""
    found = set(codes)
    return next((code for code in _PRECEDENCE if code in found), 0)
