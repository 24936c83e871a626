"""The command ``access-review``: global options, the commands, and how every error ends.

Exit codes and streams are part of the contract with scripts: see ``pipeline.errors``.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pipeline import __version__
from pipeline.cli import (
    catalog,
    demo,
    diff,
    evidence,
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
from pipeline.cli.terminal import Terminal
from pipeline.errors import AccessReviewError
from pipeline.settings import DEFAULT_PATH

__all__ = ["app", "main"]

app = typer.Typer(
    name="access-review",
    help="Access reviews of Sisense that an auditor can re-check.",
    epilog="Start with 'access-review demo', then 'access-review init'.",
    add_completion=False,
    rich_markup_mode=None,  # plain help: it starts faster, and grep and screen readers like it
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for group in (
    demo,
    setup,
    stages,
    rules,
    snapshots,
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
        Path, typer.Option(help="Configuration file.", envvar="ACCESS_REVIEW_CONFIG", show_default=True)
    ] = DEFAULT_PATH,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only results, warnings and errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say every step.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Results as one JSON document.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Terminal(config=config, quiet=quiet, verbose=verbose, debug=debug, json=json)


def main() -> None:
    """Run the command line and end the process with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is not an error
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    terminal = Terminal(debug="--debug" in arguments)
    try:
        code = app(arguments, standalone_mode=False)
    except AccessReviewError as error:
        terminal.fail(error)
        code = error.exit_code
        if terminal.debug:
            traceback.print_exc()
    except TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "access-review")
        sys.stderr.write(f"error: {error.format_message()} — command line\nhint: run '{command} --help'\n")
        code = 2
    except (KeyboardInterrupt, Abort):
        code = 130
    except BrokenPipeError:  # the reader of our output has gone, as with '| head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:  # the last resort: a bug must not look like a finding
        sys.stderr.write(f"error: a bug in the program: {type(error).__name__} — pipeline\n")
        sys.stderr.write("hint: run again with --debug and report what it shows\n")
        code = 70
        if terminal.debug:
            traceback.print_exc()
    if code == 130:
        sys.stderr.write("interrupted\n")
    return int(code or 0)
