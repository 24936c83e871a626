"""``watch``: extract at intervals, and record what changed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.parameters import Metrics
from pipeline.cli.terminal import Terminal
from pipeline.errors import IncompleteError, UsageError
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.monitoring.endpoint import MetricsListener
    from pipeline.project import Project
    from pipeline.watch.watcher import Tick

__all__ = ["register"]

_DURATION = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
#: The shortest and longest interval, in seconds. Anything outside is a mistake.
_SHORTEST, _LONGEST = 10, 366 * 86_400
_CHECKS = "'access-review snapshots show' lists every check; extract again"

Every = Annotated[
    str | None, typer.Option(metavar="DURATION", help="Interval between extracts, as 30m, 1h or 1h30m.")
]
Format = Annotated[str, typer.Option(metavar="NAME", help="Form of the events that sinks get: json or ocsf.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "watch",
        epilog="Examples: access-review watch --every 1h --sink events.jsonl; "
        "access-review watch --once --sink https://hooks.example.com/access; "
        "access-review watch --every 1h --sink ocsf.jsonl --format ocsf",
    )(watch)


def watch(
    context: typer.Context,
    every: Every = None,
    once: Annotated[bool, typer.Option("--once", help="Extract once and exit, for cron or a timer.")] = False,
    sink: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|URL",
            help="Also send events to this file of JSON lines or https address (repeatable). "
            "Requests are signed with ACCESS_REVIEW_WEBHOOK_SECRET.",
        ),
    ] = None,
    format: Format = "json",  # noqa: A002
    metrics: Metrics = None,
) -> None:
    """Extract at intervals and record what changed.

    Each source is compared with its last complete extract; the changes are appended to history.events.
    """
    if not once and every is None:
        raise UsageError("neither --every nor --once is given", where="", hint="add --every 1h, or --once")
    seconds = parse_duration(every) if every is not None else None

    from pipeline.watch.formats import event_format
    from pipeline.watch.sinks import open_sinks
    from pipeline.watch.watcher import Watcher, watch_lock

    terminal: Terminal = context.obj
    project = terminal.project()
    watcher = Watcher(project, open_sinks(sink or (), os.environ, event_format(format)))
    project.validate()
    listener = None if metrics is None else _listener(terminal, metrics, is_once=once)
    is_stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        if not is_stopping:  # a second signal must not interrupt the clean-up
            is_stopping = True
            # raised here, KeyboardInterrupt would tear the event loop; its own handler cancels the extract in order
            signal.raise_signal(signal.SIGINT)

    # asyncio replaces only Python's own handler, and a script starts background commands with SIGINT ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, stop)
    with watch_lock(project.settings.warehouse.database):
        if once or seconds is None:
            tick = watcher.tick()
            raise typer.Exit(_show(terminal, tick, is_one_of_many=False))
        try:
            with _monitored(terminal, project, seconds, listener) as ticked:
                for tick in watcher.ticks(seconds, _chance()):
                    _show(terminal, tick, is_one_of_many=True)
                    ticked(tick)
        except KeyboardInterrupt:
            if not is_stopping:
                raise
            terminal.say("stopped")
            return
        raise typer.Exit(3)  # every login was refused


def _chance() -> Callable[[], float]:
    import random

    return random.random


def _listener(terminal: Terminal, metrics: str, *, is_once: bool) -> MetricsListener:
    from pipeline.monitoring.endpoint import MetricsListener

    if is_once:
        raise UsageError("--metrics needs --every", where="", hint="a watcher that exits has no metrics to read")
    listener = MetricsListener(metrics)
    terminal.say(f"metrics at {listener.url}")
    return listener


@contextmanager
def _monitored(
    terminal: Terminal, project: Project, every: float, listener: MetricsListener | None
) -> Iterator[Callable[[Tick], None]]:
    """Answer requests for metrics while the block runs; yield what takes note of each tick."""
    if listener is None:
        yield lambda _: None
        return
    from pipeline.monitoring.watching import WatchMonitor

    monitor = WatchMonitor(project.settings.warehouse.database, every, terminal.note)
    with listener.serving(monitor):
        yield monitor.ticked


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``1h30m``.

    Raises:
        UsageError: the text is not a duration, or is shorter than ten seconds or longer than a year.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = sum(int(found[unit] or 0) * size for unit, size in _SECONDS.items()) if found else 0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise UsageError(
            f"'{text}' is not an interval",
            where="--every",
            hint="write 30m, 1h or 1h30m; at least 10s and at most 366d",
        )
    return float(seconds)


def _show(terminal: Terminal, tick: Tick, *, is_one_of_many: bool) -> int:
    """Print what a tick did; return the exit code for it alone."""
    for error in tick.errors:
        terminal.fail(error)
    code = tick.exit_code
    if tick.waits:
        waits = f"nothing is compared until the next complete extract: {tick.waits}"
        if is_one_of_many or tick.errors:
            terminal.note(waits)
        else:
            terminal.fail(IncompleteError(waits, where="", hint=_CHECKS))
    else:
        for source, reason in tick.incomplete.items():
            waits = f"source '{source}' is not compared until its next complete extract: {reason}"
            if is_one_of_many or tick.errors:
                terminal.note(waits)
            else:
                terminal.fail(IncompleteError(waits, where="", hint=_CHECKS))
    document = {
        "started_at": tick.started_at,
        "snapshot_id": tick.snapshot_id,
        "completeness": tick.completeness,
        "compared_with": tick.compared_with,
        "incomplete": tick.incomplete,
        "events": tick.events,
        "waits": tick.waits,
        "delivered": tick.delivered,
        "pruned": tick.pruned,
        "errors": [
            {"message": error.message, "where": error.where, "hint": error.hint, "exit_code": error.exit_code}
            for error in tick.errors
        ],
    }
    if is_one_of_many:
        terminal.emit(_line(tick), document, code)
    else:
        terminal.result(_line(tick), document)
    return code


def _line(tick: Tick) -> str:
    """Return one line about a tick, for a log."""
    parts = [f"{tick.started_at:%Y-%m-%dT%H:%M:%SZ}"]
    parts.append(f"{tick.snapshot_id} {tick.completeness}" if tick.snapshot_id else "no extract")
    if tick.compared_with:
        new_sources = [source for source, previous in tick.compared_with.items() if previous is None]
        if new_sources:
            parts.append(f"the log begins for {', '.join(new_sources)}")
        kinds = ", ".join(f"{count} {kind}" for kind, count in tick.events.items())
        parts.append(counted(sum(tick.events.values()), "event") + (f" ({kinds})" if kinds else ""))
    elif tick.waits:
        parts.append("not compared")
    if tick.incomplete and not tick.waits:
        parts.append(f"not compared: {', '.join(tick.incomplete)}")
    parts += [f"{count} to {name}" for name, count in tick.delivered.items()]
    if tick.pruned:
        parts.append(f"rows of {counted(len(tick.pruned), 'old snapshot')} deleted")
    if tick.errors:
        parts.append(counted(len(tick.errors), "error"))
    return "; ".join(parts)
