"""Runs coroutines beside each other so that none outlives the block that started it, also when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

__all__ = ["Start", "beside"]

_T = TypeVar("_T")


class Start(Protocol):
    """Starts a coroutine beside others."""

    def __call__(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start the work; return its task."""


@asynccontextmanager
async def beside() -> AsyncIterator[Start]:
    """Yield a function that starts a coroutine; what still runs when the block is left is cancelled."""
    tasks: list[asyncio.Task[Any]] = []

    def start(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    try:
        yield start
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
