"""Every error a user can meet, with the exit code it ends the program with.

Each carries what happened (``message``), where (``where``) and what to do (``hint``). The branches follow what
the reader does next::

    AccessReviewError            70  (a bug, if it is ever raised itself)
    ├── UsageError                2  correct the command line
    ├── ConfigurationError        2  correct the configuration, a policy file or the environment
    │   ├── MissingSecretError    2  set the environment variable it names
    │   └── RosterError           2  correct the roster file
    ├── SourceError               3  look at the source
    │   ├── UnreachableError      3  network, DNS, TLS, or the host stopped answering
    │   ├── LoginError            3  the credentials were refused; they are never tried again
    │   └── ContentError          3  the source answered, but not with what was asked for
    ├── IncompleteError           3  the extract is PARTIAL and that was not allowed
    ├── WarehouseError            4  look at the database
    │   ├── DatabaseLockedError   4  another process holds it
    │   ├── SupersededError       4  another process has built something else meanwhile
    │   ├── ModelError            4  a file in sql/ is wrong
    │   └── QueryError            4  the user's own query is wrong
    ├── RenderError               5  look at the report folder, or at the system libraries
    └── GateError                 1  nothing is wrong with the program: a gate tripped

Several may apply to one run; :func:`exit_code` says which of them wins.
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
    """The base of them all: ``<message> — <where>``, and a ``hint`` that says what to do."""

    exit_code = 70

    def __init__(self, message: str, *, where: str, hint: str) -> None:
        super().__init__(f"{message} — {where}")
        self.message = message
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., AccessReviewError], tuple[str]]:
        """Come whole out of another process."""
        return functools.partial(type(self), where=self.where, hint=self.hint), (self.message,)


class UsageError(AccessReviewError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class ConfigurationError(AccessReviewError):
    """The configuration, a policy file or the environment is wrong."""

    exit_code = 2


class MissingSecretError(ConfigurationError):
    """A command that contacts a source found no credential in the environment."""


class RosterError(ConfigurationError):
    """The roster cannot be read, or a line of it makes no sense."""


class SourceError(AccessReviewError):
    """A source failed."""

    exit_code = 3


class UnreachableError(SourceError):
    """No usable answer within the budget of attempts and time."""


class LoginError(SourceError):
    """The source refused the credentials."""


class ContentError(SourceError):
    """The source answered with something other than what was asked for."""


class IncompleteError(AccessReviewError):
    """The extract is not proven complete, and the caller did not allow that."""

    exit_code = 3


class WarehouseError(AccessReviewError):
    """The database, a model, a check or a query failed."""

    exit_code = 4


class DatabaseLockedError(WarehouseError):
    """Another process holds the database for longer than the wait."""


class SupersededError(WarehouseError):
    """The build that was to be reported is no longer the one in the database."""


class ModelError(WarehouseError):
    """A file in ``sql/`` breaks the grammar, its own declarations, or a check."""


class QueryError(WarehouseError):
    """A query given by the user does not run."""


class RenderError(AccessReviewError):
    """A report could not be written."""

    exit_code = 5


class GateError(AccessReviewError):
    """A condition the caller set was met, as with ``--fail-on``."""

    exit_code = 1


def exit_code(codes: Iterable[int]) -> int:
    """Return the code that wins when several apply: 130, 70, 2, 3, 5, 4, 1, then 0."""
    found = set(codes)
    return next((code for code in _PRECEDENCE if code in found), 0)
