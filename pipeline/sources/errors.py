"""Every way in which a request can fail, in one tree; the branches follow what the caller does next.

The first three levels are in :mod:`pipeline.errors`, because other layers handle them too::

    SourceError                the source failed
    ├── UnreachableError       no answer within the budget: stop, and check the network
    ├── LoginError             the credentials are refused: stop, and never try them again
    ├── UnclearError           a change was sent, its result is unknown: read back
    └── ContentError           the source answered, but not with what was requested
        ├── RefusedError       a definite no, with its status: try another address, or stop
        │   └── RedirectedError    a redirect, or a sign-in page: send no credentials there
        ├── UnreadableError    no valid answer within the budget: skip this page or address
        └── NoScimError        no SCIM endpoint at this address, or not for this token

Two more end one attempt only. The transport retries both, so they never leave it::

    BadAnswerError             a reader rejects an answer
    AttemptError               an attempt failed, and the next one may succeed
"""

from __future__ import annotations

from pipeline.errors import ContentError, LoginError, SourceError, UnreachableError

__all__ = [
    "AttemptError",
    "BadAnswerError",
    "ContentError",
    "LoginError",
    "NoScimError",
    "RedirectedError",
    "RefusedError",
    "SourceError",
    "UnclearError",
    "UnreachableError",
    "UnreadableError",
]


class RefusedError(ContentError):
    """The source refused the request, and would refuse it again. ``status`` is its HTTP status."""

    def __init__(self, message: str, *, where: str, hint: str, status: int) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status


class RedirectedError(RefusedError):
    """The request was redirected to another address, or a login was answered with a web page."""


class UnclearError(SourceError):
    """A change was sent, and whether it was made is unknown: read back before anything else."""


class UnreadableError(ContentError):
    """The source kept answering until the budget was spent, and never with what was requested."""


class NoScimError(ContentError):
    """There is no SCIM endpoint at this address, or it does not accept this token."""


class BadAnswerError(Exception):
    """The answer is not what was requested, but the next one may be: the request is retried, as after a 503."""


class AttemptError(Exception):
    """One attempt failed, and the next may succeed. ``wait`` is the wait the server requested, in seconds."""

    def __init__(self, error: SourceError, *, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
