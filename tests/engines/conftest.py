import os
import sys
import warnings
from collections.abc import Iterator

import pytest

from pipeline.engines.connection import SparkConnection


def pytest_configure() -> None:
    os.environ.setdefault("RUST_LOG", "error")  # Sail writes a line for each session


@pytest.fixture(scope="session")
def _loaded() -> None:
    """Load pyspark. Where the main module has no file, as on a worker of xdist, it believes to be in a doctest."""
    main = sys.modules["__main__"]
    has_file = hasattr(main, "__file__")
    main.__file__ = getattr(main, "__file__", __file__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the next version of pandas
        import pyspark.sql.connect  # noqa: F401
    if not has_file:
        del main.__file__


@pytest.fixture(scope="session")
def server(_loaded: None) -> Iterator[str]:
    """Give the address of a Spark Connect server: Sail, in this process."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    yield f"sc://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def session(server: str) -> Iterator[SparkConnection]:
    opened = SparkConnection(server)
    yield opened
    opened.close()
