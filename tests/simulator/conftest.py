"""Simulators: one that tests only read, and new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pipeline.simulator.population import Population, build
from pipeline.simulator.server import Simulator

ANCHOR = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def population() -> Population:
    return build(500, 4, ANCHOR)


@pytest.fixture(scope="session")
def shared(population: Population) -> Iterator[Simulator]:
    """Return an instance without scenarios that no test changes."""
    with Simulator(population=population) as simulator:
        yield simulator


@pytest.fixture
def api(shared: Simulator) -> Iterator[httpx.Client]:
    with client(shared) as session:
        yield session


@pytest.fixture
def start(population: Population) -> Iterator[Callable[..., tuple[Simulator, httpx.Client]]]:
    """Return a function that starts a new instance, optionally with scenarios, and a client that is logged in."""
    with ExitStack() as stack:

        def run(*scenarios: str, **options: Any) -> tuple[Simulator, httpx.Client]:
            simulator = stack.enter_context(Simulator(population=population, scenarios=scenarios, **options))
            return simulator, stack.enter_context(client(simulator))

        yield run


def client(simulator: Simulator) -> httpx.Client:
    return httpx.Client(base_url=simulator.url, headers={"Authorization": f"Bearer {simulator.token}"}, timeout=20)
