"""The limiter: how many requests may be in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Limiter"]


class Limiter:
    """Adaptive concurrency limit: halves under back-pressure, recovers slowly.

    ``lowest`` is the lowest limit there was.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._in_flight = 0
        self._epoch = 0
        self._changed = asyncio.Condition()
        self.lowest = most

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one slot while the block runs, after waiting for one to be free."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_flight < int(self._limit))
            self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            async with self._changed:
                self._changed.notify_all()

    @property
    def epoch(self) -> int:
        """Return how often the limit was halved."""
        return self._epoch

    def decrease(self, epoch: int) -> None:
        """Halve the limit, once for all requests that were sent in the same epoch."""
        if epoch == self._epoch:
            self._epoch += 1
            self._limit = max(1.0, self._limit / 2)
            self.lowest = min(self.lowest, int(self._limit))

    def increase(self) -> None:
        """Raise the limit a little: several answers make room for one more request."""
        self._limit = min(float(self._most), self._limit + 0.25 / self._limit)
