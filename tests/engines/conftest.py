from collections.abc import Iterator

import pytest

from pipeline.engines.connection import SparkConnection


@pytest.fixture(scope="session")
def session(server: str) -> Iterator[SparkConnection]:
    opened = SparkConnection(server)
    yield opened
    opened.close()
