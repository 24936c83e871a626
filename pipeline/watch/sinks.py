"""Where events go: a file of JSON lines, or a web address. Both get every event, in order.

The last whole line of a file says which event it has, so a kill at any moment neither repeats nor loses a line. A
line without its end is cut off and written again. For a web address, the database stores afterwards which events it
took. After a kill it may get some events again, with the same id.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pipeline.errors import RenderError, UsageError
from pipeline.settings import Secret, webhook_secret
from pipeline.watch.formats import LOG, Event, EventFormat

__all__ = ["FileSink", "Sink", "WebhookSink", "open_sinks"]

#: How much of a file's end is read at once to find its last line, in bytes.
_TAIL = 65_536


class Sink(Protocol):
    """A receiver of events. ``sink_id`` identifies it; ``name`` has no secret and may be shown.

    ``format`` is the form in which it gets them.
    """

    sink_id: str
    name: str
    format: EventFormat

    def position(self, known: int, id_at: Callable[[int], str | None]) -> int:
        """Return the position of the last event it has; ``known`` is the position that the database has stored."""

    def deliver(self, events: Sequence[Event], done: Callable[[int], None]) -> None:
        """Deliver events in order; ``done`` is called with the position of the last one that is safe."""


class FileSink:
    """A file of JSON lines, one event a line, in the order of the log."""

    def __init__(self, path: Path, format: EventFormat = LOG) -> None:  # noqa: A002
        self.path = path.absolute()
        self.format = format
        self.name = str(path)
        self.sink_id = hashlib.sha256(f"file:{self.path}".encode()).hexdigest()

    def position(self, known: int, id_at: Callable[[int], str | None]) -> int:
        """Return the position in its last line; for a new or empty file, the position in the database.

        Raises:
            RenderError: the file holds something else, or cannot be read or written.
        """
        with self._locked() as file:
            last = _last_line(file)
        if last is None:
            return known
        try:
            position, event_id = self.format.identity(json.loads(last))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unusable(f"its last line is not an event in the format {self.format.name}") from error
        if id_at(position) != event_id:
            raise self._unusable("its last line is an event of another database")
        return position

    def deliver(self, events: Sequence[Event], done: Callable[[int], None]) -> None:
        """Append the events and flush them to disk.

        Raises:
            RenderError: the file cannot be written.
        """
        content = b"".join(self.format.encode(event) + b"\n" for event in events)
        with self._locked() as file:
            os.lseek(file, 0, os.SEEK_END)
            while content:
                content = content[os.write(file, content) :]
            os.fsync(file)
        done(int(events[-1]["position"]))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield file
            finally:
                os.close(file)
        except BlockingIOError as error:
            raise self._unusable("another process is writing it") from error
        except OSError as error:
            raise self._unusable(error.strerror or "unknown") from error

    def _unusable(self, reason: str) -> RenderError:
        return RenderError(
            f"the file of events cannot be used: {reason}",
            where=self.name,
            hint="name another file; a new one gets all events from the first one on",
        )


class WebhookSink:
    """A web address that gets one signed message for each event.

    Raises:
        UsageError: events cannot be sent to this address.
        ConfigurationError: the secret cannot be used.
    """

    def __init__(
        self,
        url: str,
        secret: Secret,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        format: EventFormat = LOG,  # noqa: A002
    ) -> None:
        from pipeline.sources.webhook import Webhook

        self._webhook = Webhook(url, secret, clock=clock, sleep=sleep)
        self.name = self._webhook.origin
        self.format = format
        self.sink_id = hashlib.sha256(f"webhook:{url}".encode()).hexdigest()

    def position(self, known: int, _: Callable[[int], str | None]) -> int:
        """Return the position in the database; the receiver is not asked."""
        return known

    def deliver(self, events: Sequence[Event], done: Callable[[int], None]) -> None:
        """Send the events one by one.

        Raises:
            UnreachableError: an event was not accepted; those before it were.
        """
        taken: int | None = None
        try:
            with self._webhook as webhook:
                for event in events:
                    webhook.send(str(event["event_id"]), self.format.encode(event))
                    taken = int(event["position"])
        finally:
            if taken is not None:
                done(taken)


def open_sinks(
    names: Sequence[str],
    environment: Mapping[str, str],
    format: EventFormat = LOG,  # noqa: A002
) -> list[Sink]:
    """Return a sink for each name: a web address if it has a scheme, else the path of a file.

    All of them get the events in the same format.

    Raises:
        UsageError: an address cannot be used, or a sink is named twice.
        ConfigurationError: the secret of a web address is missing or cannot be used.
    """
    from pipeline.sources.webhook import origin

    sinks: list[Sink] = []
    for name in names:
        if "://" in name:
            origin(name)  # a wrong address is reported before a missing secret
            secret = webhook_secret(environment)
            sinks.append(WebhookSink(name, secret, clock=time.time, sleep=time.sleep, format=format))
        else:
            sinks.append(FileSink(Path(name), format))
    if len({sink.sink_id for sink in sinks}) < len(sinks):
        raise UsageError("a sink is named twice", where="--sink", hint="name each sink once")
    return sinks


def _last_line(file: int) -> bytes | None:
    """Return the last whole line; cut off an incomplete line after it, which a killed process left."""
    size = os.lseek(file, 0, os.SEEK_END)
    start, tail = size, b""
    while start > 0 and tail.count(b"\n") < 2:
        step = min(_TAIL, start)
        start -= step
        os.lseek(file, start, os.SEEK_SET)
        tail = _read(file, step) + tail
    end = tail.rfind(b"\n") + 1
    if start + end < size:
        os.ftruncate(file, start + end)
        os.fsync(file)
    lines = tail[:end].splitlines()
    return lines[-1] if lines else None


def _read(file: int, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = os.read(file, count - len(content))
        if not piece:
            break
        content += piece
    return content
