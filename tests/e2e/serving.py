"""The page of a campaign, served by ``access-review review serve`` in a process of its own."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path
from typing import TextIO, cast

from tests.e2e.program import TIMEOUT, command, surroundings

__all__ = ["ServedReview", "free_port"]


class ServedReview:
    """The server of the only open campaign of a folder, from ``with`` to the end of the block."""

    def __init__(self, folder: Path, port: int, *arguments: str) -> None:
        self._folder = folder
        self._command = command("review", "serve", "--port", str(port), *arguments)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.owner_link = ""

    def __enter__(self) -> ServedReview:
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=surroundings(), stdout=subprocess.PIPE, text=True
        )
        stdout = cast("TextIO", self._process.stdout)
        campaign, link = stdout.readline(), stdout.readline()
        assert self.url in campaign, campaign
        found = re.search(r"http\S+/link/\S+", link)
        assert found, link
        self.owner_link = found[0]

    def kill(self) -> None:
        """End the server with SIGKILL, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait(TIMEOUT)
        cast("TextIO", self._process.stdout).close()


def free_port() -> int:
    """Return a port that nothing listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
