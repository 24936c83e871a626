"""What a machine does to a database: its disk fills up, or a process is killed."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["full_disk", "killed_after"]

_PROGRAM = f"""
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute(sys.argv[2])
os.kill(os.getpid(), {signal.SIGKILL:d})
"""


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """Let no file grow beyond some bytes, which to every writer is the same as a full disk."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def killed_after(path: Path, statement: str) -> None:
    """Commit a statement in a process that is killed before the change is in the file of the database."""
    subprocess.run([sys.executable, "-c", _PROGRAM, str(path), statement], check=False)
    assert Path(f"{path}.wal").stat().st_size > 0
