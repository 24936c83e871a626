"""The command ``access-review``: its global options and commands, and how errors become exit codes.

Scripts rely on exit codes and streams; see ``pipeline.errors``.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import itertools
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from pipeline import __version__
from pipeline.cli import (
    bug,
    catalog,
    commands,
    database,
    demo,
    diff,
    evidence,
    merge,
    query,
    remediate,
    review,
    rules,
    scim,
    setup,
    simulate,
    snapshots,
    stages,
    users,
    watch,
)
from pipeline.cli.logs import LogFormat, capture_libraries
from pipeline.cli.terminal import Terminal, unwritten
from pipeline.errors import AccessReviewError, UsageError
from pipeline.settings import DEFAULT_PATH

__all__ = ["app", "command_line", "main", "program"]

app = commands.Commands(
    name="access-review",
    help="Access reviews of Sisense that an auditor can re-check.",
    epilog="Start with 'access-review demo', then 'access-review init'.",
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for group in (
    demo,
    setup,
    stages,
    merge,
    rules,
    snapshots,
    database,
    diff,
    query,
    catalog,
    evidence,
    review,
    remediate,
    users,
    scim,
    watch,
    simulate,
):
    group.register(app)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"access-review {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option(metavar="PATH", help="Configuration file.", envvar="ACCESS_REVIEW_CONFIG", show_default=True),
    ] = DEFAULT_PATH,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only results, warnings and errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every step.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="Messages for people, or one JSON object a line.")
    ] = LogFormat.text,
    _show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    terminal: Terminal = context.ensure_object(Terminal)
    terminal.config, terminal.quiet, terminal.verbose = config, quiet, verbose
    terminal.debug, terminal.json = debug, json
    if log_format is LogFormat.json:  # otherwise it may have been given after the command
        terminal.log_format = log_format


@functools.cache
def command_line() -> TyperGroup:
    """Return the command line with all its commands."""
    return commands.assembled(app)


def main() -> NoReturn:
    """Run the command line and end the process with the contract's exit code."""
    sys.exit(_start())


def program() -> NoReturn:
    """Be the installed command: like ``main``, but end without freeing what the process holds.

    Python's own end searches all objects once more and takes every library apart, up to 0.2 seconds for memory
    that the system frees anyway. Profilers and debuggers need it: ``python -m pipeline`` keeps it.
    """
    code = _start()
    if threading.active_count() == 1:  # Python's own end waits for other threads
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):  # Python's own end tells that output cannot be written
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:  # it was closed before this process began
                    stream.flush()
            os._exit(code)
    sys.exit(code)


def _start() -> int:
    """Run the command line with streams that do not fail; return the exit code."""
    _keep_messages_from_failing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is escaped
    return _run(sys.argv[1:])


class _Forgiving(io.FileIO):
    """A file that ignores write errors."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _keep_messages_from_failing() -> None:
    """Ignore write errors on stderr: a full disk or a closed stream must not end the work halfway."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except (
            OSError
        ):  # closed: the next file opened, such as the database, would be written to as if it were stderr
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        encoding = sys.stderr.encoding if sys.stderr else "utf-8"
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(_Forgiving(2, "w", closefd=False)), encoding=encoding, line_buffering=True
        )


def _run(arguments: list[str]) -> int:
    # Before the command line is parsed, these options count wherever they stand.
    terminal = Terminal(debug="--debug" in arguments, json="--json" in arguments)
    if "--log-format=json" in arguments or ("--log-format", "json") in itertools.pairwise(arguments):
        terminal.log_format = LogFormat.json
        capture_libraries()
    code = _code(arguments, terminal)
    try:
        terminal.end(code)
    except BrokenPipeError:
        _stop_writing()
    except AccessReviewError as error:
        terminal.fail(error)
        code = code or error.exit_code
    if code == 130:
        terminal.interrupted()
    return code


def _code(arguments: list[str], terminal: Terminal) -> int:
    """Run a command; print its errors, and return the exit code."""
    try:
        _require_text(arguments)
        return int(command_line().main(arguments, "access-review", standalone_mode=False, obj=terminal) or 0)
    except AccessReviewError as error:
        terminal.fail(error)
        if terminal.debug:
            terminal.traceback()
        return error.exit_code
    except TyperException as error:
        terminal.json = terminal.json or "--json" in arguments  # it may come after the mistake
        context = getattr(error, "ctx", None)
        path = getattr(context, "command_path", "access-review")
        terminal.command = commands.command_name(context)
        terminal.fail(UsageError(error.format_message(), where="", hint=f"run '{path} --help'"))
        return UsageError.exit_code
    except (KeyboardInterrupt, Abort):
        return 130
    except BrokenPipeError:  # the reader of our output has ended, as with '| head'
        _stop_writing()
        return 0
    except Exception as error:
        is_unwritten = isinstance(error, OSError) or sys.stdout is None
        if is_unwritten and not terminal.command:  # no command has begun: only help was written
            failure: AccessReviewError = unwritten(error)
        else:
            failure = bug.report(error, terminal.command or "access-review")  # a bug must not look like a finding
        terminal.fail(failure)
        if terminal.debug:
            terminal.traceback()
        return failure.exit_code


def _require_text(arguments: list[str]) -> None:
    for position, argument in enumerate(arguments, 1):
        if not argument.isascii() and any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(
                f"argument {position} holds bytes that are not text in this locale",
                where="",
                hint="type it in a terminal that uses UTF-8, or set LC_ALL=C.UTF-8",
            )


def _stop_writing() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
