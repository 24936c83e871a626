"""A source is read the same way where an event loop is running already, as in a notebook."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal

import pytest

from pipeline.errors import LoginError
from pipeline.sources import event_loop
from tests.fakes.sisense import FakeSisense, accounts
from tests.sources.conftest import Extract, Extracting


def test_an_extract_runs_inside_a_running_event_loop(extracting: Extracting) -> None:
    async def cell() -> Extract:
        return extracting(fake)

    with FakeSisense(accounts(120)) as fake:
        done = asyncio.run(cell())

    assert done.failed == set()
    assert done.ids == fake.ids


def test_its_failure_is_raised_there_too(extracting: Extracting) -> None:
    async def cell() -> Extract:
        return extracting(fake)

    with FakeSisense(accounts(3), password="another") as fake:
        done = asyncio.run(cell())

    assert isinstance(done.error, LoginError)
    assert len(fake.logins) == 1


def test_the_work_sees_the_context_of_its_caller() -> None:
    name = contextvars.ContextVar("name", default="nothing")

    async def work() -> str:
        return name.get()

    async def cell() -> str:
        name.set("of the caller")
        return event_loop.run(work())

    assert asyncio.run(cell()) == "of the caller"


def test_an_interrupt_inside_a_running_loop_ends_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0.2)  # the caller is waiting by now
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def cell() -> None:
        event_loop.run(work())

    loop = asyncio.new_event_loop()  # asyncio.run would handle the interrupt itself
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    loop.close()

    assert ended == ["cancelled"]
