"""Runs the program as a user does, in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import inputs
from pipeline.progress import Silent
from pipeline.simulator.server import Simulator

__all__ = [
    "BEFORE_A_FORK",
    "TIMEOUT",
    "Forking",
    "Outcome",
    "Silent",
    "command",
    "configured_for_accounts",
    "configured_hastily",
    "disable_rules",
    "forking",
    "one_processor",
    "run_command",
    "surroundings",
]


#: What lets a process import Polars and fork: its allocator starts no thread.
BEFORE_A_FORK = {"_RJEM_MALLOC_CONF": "background_thread:false"}
CHECKOUT = Path(__file__).parents[2]
#: Seconds that a command may take.
TIMEOUT = 300


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """The ``result`` of the document that ``--json`` prints."""
        return json.loads(self.stdout)["result"]


def configured_for_accounts(simulator: Simulator, folder: Path, *settings: str) -> None:
    """Write a configuration that reads accounts alone, without dashboards and models, with more settings."""
    configuration = simulator.write_files(folder)["access-review.toml"]
    text = configuration.read_text(encoding="utf-8")
    lines = "\n".join(["[sources.prod]", "objects = false", *settings, ""])
    configuration.write_text(text.replace("[sources.prod]\n", lines), encoding="utf-8")


def configured_hastily(simulator: Simulator, folder: Path) -> None:
    """Write a configuration that reads accounts alone, tries once, and evaluates only the rules that make events."""
    configured_for_accounts(simulator, folder, "max_attempts = 1", "give_up_after_seconds = 1")
    disable_rules(folder)


def disable_rules(folder: Path) -> None:
    """Disable all rules but those that make events: a build without them takes two thirds of the time."""
    silent = [model.name for model in inputs.models() if model.is_rule and not model.effects.event]
    with (folder / "access-review.toml").open("a", encoding="utf-8") as configuration:
        configuration.write("\n".join(["[rules]", *(f"{name} = {{ enabled = false }}" for name in silent), ""]))


def command(*arguments: str) -> list[str]:
    """Return the command line of the program in this checkout."""
    return [sys.executable, "-m", "pipeline", *arguments]


def surroundings(**environment: str) -> dict[str, str]:
    """Return the environment variables of a process that runs the program."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(CHECKOUT), **environment}


def _processor() -> int:
    """Return the processor for the commands of this worker of xdist: each worker has its own, if there are enough."""
    usable = sorted(os.sched_getaffinity(0))
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return usable[int(number) % len(usable)]


@contextmanager
def one_processor() -> Iterator[None]:
    """Let this thread use one processor, so that it renders a report itself: see :class:`Forking`."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_processor()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


class Forking:
    """A process that forks once for each command; see ``forking.py``. It imports the program in ``checkout``.

    It has one processor. So a command renders its report itself, with the libraries that are imported here already,
    while the processes that it would start for that would all import them again.
    """

    def __init__(self, checkout: Path = CHECKOUT) -> None:
        self._channel, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking.py"))],
            stdin=theirs,
            env=surroundings(**BEFORE_A_FORK, PYTHONPATH=str(checkout)),
        )
        theirs.close()
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, {_processor()})
        self._channel.settimeout(TIMEOUT)

    def run(
        self,
        folder: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        started: Callable[[int], None] = lambda _: None,
    ) -> Outcome:
        """Run a command to its end. ``started`` is given the process id of the command when it begins."""
        request = {"folder": str(folder), "arguments": arguments, "environment": environment}
        with (
            Path(os.devnull).open("rb") as nothing,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            files = [stream.fileno() for stream in (nothing, stdout, stderr)]
            socket.send_fds(self._channel, [json.dumps(request).encode() + b"\n"], files)
            code = self._code(started)
            stdout.seek(0)
            stderr.seek(0)
            return Outcome(code, stdout.read().decode(), stderr.read().decode())

    def _code(self, started: Callable[[int], None]) -> int:
        """Return the exit code of the command, which is killed when it takes too long."""
        child = self._number()
        started(child)
        try:
            return self._number()
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise

    def _number(self) -> int:
        """Return the number in the next line that the other side sends."""
        said = b""
        while not said.endswith(b"\n"):
            said += (byte := self._channel.recv(1))
            assert byte, f"the process that forks has ended: {self._process.poll()}"
        return int(said)

    def close(self) -> None:
        self._channel.close()
        self._process.wait()


#: Two, used in turn. Each has its own hash seed: what must be the same twice is made with sets in another order.
_FORKING: list[Forking] = []


def forking() -> Forking:
    """Return one of two processes, by turns."""
    if len(_FORKING) < 2:
        _FORKING.append(Forking())
        atexit.register(_FORKING[-1].close)
    else:
        _FORKING.append(_FORKING.pop(0))
    return _FORKING[-1]


def run_command(folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Run a command to its end. What may change how Python itself starts gets an interpreter of its own."""
    if all(name.startswith("ACCESS_REVIEW_") for name in environment):
        return forking().run(folder, arguments, surroundings(**environment))
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=surroundings(**environment),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
