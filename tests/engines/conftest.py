import warnings
from collections.abc import Iterator

import pytest

from pipeline.engines.connection import SparkConnection


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a Spark Connect server: Sail, in this process."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    yield f"sc://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def session(server: str) -> Iterator[SparkConnection]:
    with warnings.catch_warnings():
        opened = SparkConnection(server)
        yield opened
        opened.close()
