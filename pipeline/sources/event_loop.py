"""Runs asynchronous work for blocking callers, also where an event loop runs already, as in a notebook."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["run"]

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end, and return its result or raise its error.

    Inside a running event loop the work runs in a thread with a loop of its own, and the caller's loop waits. An
    interrupt cancels the work before it is raised.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _run_in_thread(work)


def _run_in_thread(work: Coroutine[Any, Any, _T]) -> _T:
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    async def supervised() -> _T:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1, thread_name_prefix="sources") as executor:
        # the context carries what the caller set for this run, such as a progress display
        ended = executor.submit(contextvars.copy_context().run, asyncio.run, supervised())
        try:
            return ended.result()
        except BaseException:
            if not ended.done():  # the caller was interrupted, not the work
                loop, task = started.result()
                if task is not None:
                    loop.call_soon_threadsafe(task.cancel)
            raise
