"""A Spark Connect server for tests: Sail, which needs no Java, or Spark itself."""

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress

import pytest

#: The environment variable of 'make test-spark'.
SPARK_URL = "SPARK_CONNECT_URL"

_PROGRAM = """
from pysail.spark import SparkConnectServer

server = SparkConnectServer()
server.start(background=True)
print(server.listening_address[1], flush=True)
input()
"""


@pytest.fixture(scope="session")
def spark_loaded() -> None:
    """Load pyspark. Where the main module has no file, as on a worker of xdist, it believes to be in a doctest."""
    main = sys.modules["__main__"]
    has_file = hasattr(main, "__file__")
    main.__file__ = getattr(main, "__file__", __file__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the next version of pandas
        import pyspark.sql.connect  # noqa: F401
    if not has_file:
        del main.__file__


class EngineServer:
    """A server in a process of its own, which can be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"RUST_LOG": "error"},  # else it writes a line for each session
        )
        assert self._process.stdout is not None
        self.url = f"sc://127.0.0.1:{self._process.stdout.readline().strip()}"

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


@pytest.fixture(scope="session")
def server(spark_loaded: None) -> Iterator[str]:
    """Give the address of a server that the tests of one worker share: Sail, unless the environment names another."""
    if SPARK_URL in os.environ:
        yield os.environ[SPARK_URL]
        return
    running = EngineServer()
    yield running.url
    running.kill()


@pytest.fixture
def doomed_server(spark_loaded: None) -> Iterator[EngineServer]:
    """Give a server that a test may kill."""
    running = EngineServer()
    yield running
    running.kill()
