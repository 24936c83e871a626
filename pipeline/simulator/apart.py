"""A simulator that runs until its process ends.

The demo gives it a process of its own, which starts while the demo loads its libraries and takes no time from the
extract.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RenderError

__all__ = ["Begun", "begin"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A running simulator: the password of its caller, and the configuration that points to it."""

    password: str
    configuration: Path


def begin(accounts: int, seed: int, folder: Path) -> Begun:
    """Start a simulator in a thread of this process, and write its files to the folder.

    Raises:
        UsageError: too few accounts.
        RenderError: the folder cannot be written.
    """
    from pipeline.simulator.server import Simulator  # its libraries are not loaded by the process that waits

    simulator = Simulator(accounts, seed).__enter__()
    try:
        files = simulator.write_files(folder)
    except OSError as error:
        raise RenderError(
            f"the folder cannot be written: {error.strerror}", where=str(folder), hint="name another one with --out"
        ) from error
    return Begun(simulator.password, files["access-review.toml"])
