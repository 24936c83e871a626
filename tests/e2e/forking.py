"""A process that has imported the program and forks for each command, which saves every command the imports.

``program.py`` starts it as a script, with a socket as its standard input, and sends one request at a time: a line of
JSON with the folder, the arguments and the environment, and beside it the files for the three standard streams.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import signal
import socket
import sys
from pathlib import Path

import pipeline
import pipeline.inputs
from pipeline.cli.main import main

#: Libraries, and parts of them, that a command imports when it needs them.
_IMPORTED_LATE = (
    "anyio._backends._asyncio", "fontTools.ttLib", "httpcore", "jinja2", "pikepdf", "polars", "python_calamine",
    "typer._adapters", "uharfbuzz", "uvicorn", "weasyprint", "xlsxwriter", "zoneinfo",
)  # fmt: skip
STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def import_program() -> None:
    """Import the program and the libraries that it imports late, and read its models.

    A thread does not survive a fork, and a lock that it holds stays locked. So nothing may start one here, but for
    the thread that Polars starts when it is imported: it waits until data is too large for the memory.
    """
    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.startswith(("pipeline.__main__", "pipeline.simulator")):
            importlib.import_module(module.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    pipeline.inputs.models()
    pipeline.inputs.completeness_models()
    started = [task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")]
    of_program = [name for name in started if name != "polars-ooc-clea"]
    assert len(of_program) < 2, f"a module that was imported has started a thread: {of_program}"


def receive(channel: socket.socket) -> tuple[dict[str, object], list[int]] | None:
    """Return the next request and its files, or None when the other side has closed."""
    text, files, _, _ = socket.recv_fds(channel, 65_536, len(STREAMS))
    while text and not text.endswith(b"\n"):
        text += channel.recv(65_536)
    return (json.loads(text), files) if text else None


def become(folder: str, arguments: list[str], environment: dict[str, str], files: list[int]) -> None:
    """Turn this process into one that was just started as ``python -m pipeline``."""
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    for target, (name, mode) in enumerate(STREAMS):
        stream = open(target, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [f"{pipeline.__path__[0]}/__main__.py", *arguments]
    sys.path[0] = folder
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()


def finish() -> None:
    """Run the program and end this process as Python does, but for freeing what was imported before the fork."""
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve(channel: socket.socket) -> None:
    while request := receive(channel):
        details, files = request
        child = os.fork()
        if child == 0:
            channel.close()
            become(**details, files=files)  # type: ignore[arg-type]
            finish()
        for file in files:
            os.close(file)
        channel.sendall(f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        channel.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    import_program()
    gc.freeze()
    serve(socket.socket(fileno=os.dup(0)))
    os._exit(0)
