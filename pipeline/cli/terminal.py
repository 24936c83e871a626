"""The output of the commands: results go to stdout, everything else to stderr.

Colours and progress bars appear on stderr only, and only if it is a terminal. stdout is always plain text.

With ``--json`` a command prints one document at its end. All documents have the same shape::

    {"command": "run", "ok": true, "result": ..., "warnings": ["..."]}
    {"command": "run", "ok": false, "result": null, "warnings": [],
     "error": {"message": "...", "where": "...", "hint": "...", "exit_code": 3}}

With ``--log-format json`` every message on stderr is one line of JSON instead, and there are no progress bars.

``ok`` is true if the exit code is 0. A command that had a result before it failed has both ``result`` and ``error``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.addresses import AddressError, read_address
from pipeline.cli import logs
from pipeline.cli.logs import LogFormat
from pipeline.errors import AccessReviewError, RenderError, UsageError
from pipeline.settings import DEFAULT_PATH

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from pipeline.project import Project
    from pipeline.settings import Settings

__all__ = ["Terminal", "align", "confirm_by_typing", "email_address", "plain", "required_name"]


@dataclass(slots=True)
class Terminal:
    """One call of the program: its global options, and the only way to print.

    It is also the :class:`~pipeline.progress.Progress` of a project.
    """

    config: Path = DEFAULT_PATH
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    json: bool = False
    log_format: LogFormat = LogFormat.text
    command: str = ""
    _result: Any = field(default=None, init=False)
    _warnings: list[str] = field(default_factory=list, init=False)
    _error: AccessReviewError | None = field(default=None, init=False)
    _is_streaming: bool = field(default=False, init=False)
    _progress: Progress | None = field(default=None, init=False)
    _task: TaskID | None = field(default=None, init=False)
    _counts: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    _stage: str = field(default="", init=False)

    def settings(self) -> Settings:
        """Read the configuration that ``--config`` names.

        Raises:
            ConfigurationError: it is missing or wrong.
        """
        from pipeline.settings import load_settings

        return load_settings(self.config)

    def project(self) -> Project:
        """Return the project of the configuration; its progress is shown here.

        Raises:
            ConfigurationError: the configuration is missing or wrong.
        """
        from pipeline.project import Project

        return Project(self.settings(), os.environ, self)

    def result(self, text: str, document: Any) -> None:
        """Print the result of a command as text; with ``--json``, keep the document for the end.

        Raises:
            RenderError: stdout cannot be written.
        """
        if self.json:
            self._result = document
        else:
            _print(text)

    def emit(self, text: str, document: Any, code: int = 0) -> None:
        """Print one result of a command that has many: a line of text, or with ``--json`` a document on one line.

        ``code`` is the exit code for this result alone.

        Raises:
            RenderError: stdout cannot be written.
        """
        if self.json:
            self._is_streaming = True
            _print(json.dumps(self._envelope(document, code), ensure_ascii=False))
            self._warnings.clear()
            self._error = None
        else:
            _print(text)

    def end(self, code: int) -> None:
        """Print the document of ``--json``; ``code`` is the exit code.

        Raises:
            RenderError: stdout cannot be written.
        """
        if not self.json or (self._is_streaming and self._error is None):
            return
        indent = None if self._is_streaming else 2
        _print(json.dumps(self._envelope(self._result, code), ensure_ascii=False, indent=indent))

    def _envelope(self, document: Any, code: int) -> dict[str, Any]:
        envelope = {
            "command": self.command,
            "ok": code == 0,
            "result": plain(document),
            "warnings": list(self._warnings),
        }
        if code:
            error = self._error
            envelope["error"] = {
                "message": error.message if error else "interrupted" if code == 130 else "failed",
                "where": error.where if error else self.command,
                "hint": error.hint if error else "run the command again",
                "exit_code": code,
            }
        return envelope

    def say(self, text: str) -> None:
        """Print a line for people on stderr, unless ``--quiet`` is given."""
        if not self.quiet:
            self._write("info", "message", text, message=text)

    def note(self, text: str) -> None:
        """Print a warning, even with ``--quiet``."""
        self._warnings.append(text)
        self._write("warning", "warning", f"warning: {text}", message=text)

    def problem(self, text: str) -> None:
        """Print one of several problems that an error at the end sums up."""
        self._write("error", "problem", f"problem: {text}", message=text)

    def stage(self, name: str) -> None:
        """Begin a stage, and its progress bar."""
        self._stage = name
        self._counts.clear()
        if self._progress is not None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(name, total=None)
        elif not self.quiet:
            self._write("info", "stage", f"{name} ...", stage=name)

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Move the progress bar; without a terminal, print a line if ``--verbose`` is given."""
        if self._progress is not None:
            label = f"{self._stage}: {what}" if self._stage else what
            if self._task is None:  # the stage began before there were bars
                self._task = self._progress.add_task(label, total=total)
            if self._stage.startswith("extract"):  # several lists are read at the same time
                self._counts[what] = (done, done if total is None else total)
                done, total = (sum(numbers) for numbers in zip(*self._counts.values(), strict=True))
            self._progress.update(self._task, description=label, completed=done, total=total)
        elif self.verbose:
            text = f"  {self._stage}: {what} {done}" + (f" of {total}" if total is not None else "")
            self._write("debug", "progress", text, stage=self._stage, what=what, done=done, total=total)

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show progress bars while the block runs, if stderr is a terminal."""
        if self.quiet or self.verbose or self.log_format is LogFormat.json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None
                self._task = None

    def fail(self, error: AccessReviewError) -> None:
        """Print an error as two lines: what happened and where, then what to do."""
        self._error = self._error or error
        fields = {"message": error.message, "where": error.where, "hint": error.hint, "exit_code": error.exit_code}
        text = f"error: {_one_line(str(error))}\nhint: {_one_line(error.hint)}"
        self._write("error", "error", text, **fields)

    def traceback(self) -> None:
        """Print the traceback of the exception that is being handled."""
        text = traceback.format_exc().rstrip("\n")
        self._write("error", "traceback", text, traceback=text)

    def interrupted(self) -> None:
        """Say that the user ended the command."""
        self._write("error", "interrupted", "interrupted")

    def _write(self, level: str, event: str, text: str, /, **fields: object) -> None:
        """Print a message: its text for people, or its fields for a log."""
        if self.log_format is LogFormat.json:
            logs.write(level, event, fields)
        elif self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def _print(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, AttributeError) as error:  # a full disk, or no stdout at all
        raise unwritten(error) from error


def unwritten(error: Exception) -> RenderError:
    """Return the error of a command that cannot write to stdout."""
    return RenderError(
        f"the result cannot be written: {getattr(error, 'strerror', None) or 'it is closed'}",
        where="stdout",
        hint="check where the output of this command goes",
    )


def align(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as a table in plain text, with numbers aligned right."""
    cells = [[_cell(value) for value in row] for row in rows]
    is_number = [
        bool(rows) and all(isinstance(row[i], int | float) or row[i] is None for row in rows)
        for i in range(len(header))
    ]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(header)]
    lines = []
    for row in [list(header), ["-" * width for width in widths], *cells]:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """Return a value of a query or dataclass as JSON types. Times without a zone are UTC."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date | Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _one_line(str(plain(value)))


def _one_line(text: str) -> str:
    """Return a value on one line, without control characters that would affect the terminal."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def required_name(value: str) -> str:
    """Return a name without the blanks around it.

    Raises:
        UsageError: it is blank.
    """
    if not value.strip():
        raise UsageError("the name is blank", where="", hint="give the full name of the person who acts")
    return value.strip()


def email_address(value: str | None) -> str | None:
    """Return an e-mail address in its usual form, or None if there is none.

    Raises:
        UsageError: it is not a valid address.
    """
    if value is not None:
        try:
            return read_address(value)
        except AddressError as error:
            raise UsageError(str(error), where="--email", hint="write it as ann@example.com") from error
    return None


def confirm_by_typing(name: str, what: str) -> None:
    """Ask on stderr for a name to be typed again, and return if stdin gives the same name.

    Raises:
        UsageError: another text was typed, or stdin has ended.
    """
    sys.stderr.write(f"type '{name}' again to delete this {what} permanently: ")
    sys.stderr.flush()
    typed = sys.stdin.readline()
    if not typed.endswith("\n"):
        sys.stderr.write("\n")
    if typed.strip() != name:
        raise UsageError("the typed text is not that name", where="", hint="nothing was deleted")
