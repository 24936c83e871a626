"""Limiter: how many requests may be in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Limiter"]


class Limiter:
    """Hands out lanes: half as many when the server pushes back; more again, slowly, when it does not.

    ``narrowest`` is the fewest there were.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = float(most)
        self._busy = 0
        self._epoch = 0
        self._changed = asyncio.Condition()
        self.narrowest = most

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one lane while the block runs, after waiting for one to be free."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._busy < int(self._width))
            self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            async with self._changed:
                self._changed.notify_all()

    @property
    def epoch(self) -> int:
        """Return how often the width was halved."""
        return self._epoch

    def narrow(self, epoch: int) -> None:
        """Halve the width, once for all requests that were sent at the same width."""
        if epoch == self._epoch:
            self._epoch += 1
            self._width = max(1.0, self._width / 2)
            self.narrowest = min(self.narrowest, int(self._width))

    def widen(self) -> None:
        """Widen a little: several answers make room for one request more."""
        self._width = min(float(self._most), self._width + 0.25 / self._width)
