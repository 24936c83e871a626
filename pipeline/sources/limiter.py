"""The limiter: how many requests may be in flight."""

from __future__ import annotations

import asyncio
from collections import deque
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
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.lowest = most

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one slot while the block runs, after waiting for one to be free. Who waits longest is next."""
        await self._take()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._hand_out()

    async def _take(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the slot was given while this was being cancelled
                self._in_flight -= 1
                self._hand_out()
            raise

    def _hand_out(self) -> None:
        """Give the free slots to those that wait; only they are woken up."""
        while self._waiting and self._in_flight < int(self._limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

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
        self._hand_out()
