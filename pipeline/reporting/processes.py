"""Runs functions in other processes, which share nothing with this one but files.

They are not forked, which the threads of DuckDB would not survive. They are not spawned by :mod:`multiprocessing`
either, which runs the script that uses this library a second time in each of them.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection as Channel
from multiprocessing.connection import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pipeline.errors import RenderError

__all__ = ["Pool", "Task", "cores", "serve"]

Result = TypeVar("Result")

#: Ends without finalizing the interpreter, in which libraries would print about what they still hold.
_SERVE = "import os, sys; from pipeline.reporting.processes import serve; serve(int(sys.argv[1])); os._exit(0)"
#: Secrets of the program are in such variables; no renderer needs them.
_SECRETS = "ACCESS_REVIEW_"


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Task(Generic[Result]):
    """A call that a process of the pool makes, or this one if none has begun it when its result is wanted."""

    def __init__(self, function: Callable[..., Result], arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.arguments = arguments
        self._claim = threading.Lock()
        self._done = threading.Event()
        self._outcome: tuple[bool, Any] = (False, None)

    @property
    def is_done(self) -> bool:
        """Return whether the result can be had without waiting."""
        return self._done.is_set()

    def claim(self) -> bool:
        """Return whether the caller is the one to make the call."""
        return self._claim.acquire(blocking=False)

    def finish(self, is_value: bool, outcome: Any) -> None:
        """Store the value or the exception, and wake the thread that waits for it."""
        self._outcome = is_value, outcome
        self._done.set()

    def run(self) -> None:
        """Make the call here."""
        self.finish(*_outcome(self.function, self.arguments))

    def result(self) -> Result:
        """Return what the function returned.

        Raises:
            RenderError: the process that made the call was killed.
            Exception: what the function raised.
        """
        if self.claim():
            self.run()
        self._done.wait()
        is_value, outcome = self._outcome
        if not is_value:
            raise outcome
        value: Result = outcome
        return value


class Pool:
    """So many processes, which start when the ``with`` block does and end with it, whatever they are doing.

    ``prepare`` is called in each process first, while nothing else is to be done; what it raises is not reported.
    Functions to run are those of modules, and they, their arguments and results are pickled. Without processes every
    call is made here.
    """

    def __init__(self, processes: int, prepare: Callable[[], object] | None = None) -> None:
        # A program that was frozen into one file would start itself.
        self.processes = 0 if getattr(sys, "frozen", False) or not sys.executable else processes
        self._prepare = prepare
        # One process after the other, so that they do not take more than one core from the caller.
        self._preparing = threading.Lock()
        self._tasks: deque[Task[Any]] = deque()
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self.processes):
                child, channel = _start()
                self._children.append(child)
                thread = threading.Thread(target=self._feed, args=(channel, child), daemon=True)
                self._threads.append(thread)
                thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Task[Result]:
        """Return the task of one call, which is made after those that were submitted before."""
        task = Task(function, arguments)
        self._tasks.append(task)
        self._wanted.put(True)
        return task

    def close(self) -> None:
        """Take no more calls: each process ends, and gives its memory back, once no call waits for it."""
        for _ in self._threads:
            self._wanted.put(False)

    def help(self) -> bool:
        """Make the last waiting call in this process; return whether there was one."""
        while self._tasks:
            with suppress(IndexError):  # a process was faster
                task = self._tasks.pop()
                if task.claim():
                    task.run()
                    return True
        return False

    def _feed(self, channel: Channel, child: subprocess.Popen[bytes]) -> None:
        """Give one process a task after the other."""
        with channel:
            if self._prepare:
                with (
                    self._preparing,
                    suppress(EOFError, OSError),
                ):  # if the process has ended, the next task finds out
                    channel.send((self._prepare, ()))
                    channel.recv()
            while self._wanted.get():
                try:
                    task = self._tasks.popleft()
                except IndexError:
                    continue
                if not task.claim():
                    continue
                try:
                    channel.send((task.function, task.arguments))
                    task.finish(*channel.recv())
                except (EOFError, OSError):
                    task.finish(False, _killed(child.wait()))
                except Exception as error:  # it cannot be pickled
                    task.finish(False, error)

    def _end(self) -> None:
        for child in self._children:
            child.kill()
        self.close()
        for thread in self._threads:
            thread.join()
        for child in self._children:
            child.wait()


def serve(handle: int) -> None:
    """Make the calls that arrive on the channel with this file descriptor, until its other end closes."""
    with Channel(handle) as channel:
        while True:
            try:
                function, arguments = channel.recv()
            except EOFError:
                return
            is_value, outcome = _outcome(function, arguments)
            if isinstance(outcome, Exception):
                outcome.add_note("".join(traceback.format_exception(outcome)))  # a traceback cannot be pickled
            try:
                channel.send((is_value, outcome))
            except BrokenPipeError:
                return
            except Exception:
                # Without the value itself: it may hold personal data.
                what = f"{function.__qualname__} returned a {type(outcome).__name__}, which cannot be sent"
                channel.send((False, RuntimeError(what)))


def _start() -> tuple[subprocess.Popen[bytes], Channel]:
    ours, theirs = Pipe()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    with theirs:
        child = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-c", _SERVE, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment,
            start_new_session=True,  # so that Ctrl-C reaches this process alone, which ends the others
        )
    return child, ours


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, function(*arguments)
    except Exception as error:
        return False, error


def _killed(code: int) -> RenderError:
    reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return RenderError(
        f"a process that renders pages has ended unexpectedly, with {reason}",
        where="report",
        hint="the system may have killed it because memory ran out: free about 300 MB, or name fewer formats",
    )
