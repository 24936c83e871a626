"""Retries: how long to wait before a request is sent again, and when to give up."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from pipeline.clock import Clock
from pipeline.settings import SourceSettings
from pipeline.sources.errors import AttemptError
from pipeline.sources.failures import LONGEST_ADVICE
from pipeline.wording import counted

__all__ = ["Attempts", "Retries", "Sleep"]

Sleep = Callable[[float], Awaitable[None]]

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0


@dataclass(slots=True)
class Attempts:
    """The attempts of one request: ``failed`` of at most ``most``, and how many tokens were refused meanwhile."""

    most: int
    failed: int = 0
    refused_tokens: int = 0


class Retries:
    """Exponential back-off with jitter, within the budget of a source.

    The budget is ``max_attempts`` a request, and ``give_up_after_seconds`` without one good answer to any of them.
    """

    def __init__(self, source: SourceSettings, *, clock: Clock, sleep: Sleep) -> None:
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._jitter = random.SystemRandom()
        self._last_good = clock()

    def begin(self, most: int | None = None) -> Attempts:
        """Return the attempts of a new request, of which there are at most ``most``."""
        limit = self._source.max_attempts
        return Attempts(min(most or limit, limit))

    def succeed(self, at: datetime) -> None:
        """Record a good answer, which also a definite no is."""
        self._last_good = at

    async def wait(self, failure: AttemptError, attempts: Attempts) -> None:
        """Wait before the next attempt, longer each time.

        Raises:
            SourceError: the budget is spent; it is the error of the last attempt.
        """
        error = failure.error
        attempts.failed += 1
        if attempts.failed >= attempts.most:
            tries = counted(attempts.failed, "time")
            raise type(error)(f"{error.message} (tried {tries})", where=error.where, hint=error.hint) from failure
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempts.failed - 1)) * self._jitter.uniform(0.5, 1.0)
        if failure.wait is not None:
            wait = max(wait, min(failure.wait, LONGEST_ADVICE))
        silent = (self._clock() - self._last_good).total_seconds()
        if silent + wait > self._source.give_up_after_seconds:
            raise type(error)(
                f"{error.message} (no good answer for {silent:.0f} s)", where=error.where, hint=error.hint
            ) from failure
        await self._sleep(wait)
