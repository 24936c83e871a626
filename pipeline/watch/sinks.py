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
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import RenderError, UsageError
from pipeline.settings import Secret, webhook_secret

__all__ = ["FileSink", "Sink", "WebhookSink", "open_sinks"]

Event = Mapping[str, Any]
#: How much of a file's end is read at once to find its last line, in bytes.
_TAIL = 65_536


class Sink(Protocol):
    """A receiver of events. ``sink_id`` identifies it; ``name`` has no secret and may be shown."""

    sink_id: str
    name: str

    def position(self, known: int, id_at: Callable[[int], str | None]) -> int:
        """Return the position of the last event it has; ``known`` is the position that the database has stored."""

    def deliver(self, events: Sequence[Event], done: Callable[[int], None]) -> None:
        """Deliver events in order; ``done`` is called with the position of the last one that is safe."""


class FileSink:
    """A file of JSON lines, one event a line, in the order of the log."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
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
            event = json.loads(last)
            position, event_id = int(event["position"]), event["event_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._unusable("its last line is not an event") from error
        if id_at(position) != event_id:
            raise self._unusable("its last line is an event of another database")
        return position

    def deliver(self, events: Sequence[Event], done: Callable[[int], None]) -> None:
        """Append the events and flush them to disk.

        Raises:
            RenderError: the file cannot be written.
        """
        content = b"".join(encode(event) + b"\n" for event in events)
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
        self, url: str, secret: Secret, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        from pipeline.sources.webhook import Webhook

        self._webhook = Webhook(url, secret, clock=clock, sleep=sleep)
        self.name = self._webhook.origin
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
                    webhook.send(str(event["event_id"]), encode(event))
                    taken = int(event["position"])
        finally:
            if taken is not None:
                done(taken)


def open_sinks(names: Sequence[str], environment: Mapping[str, str]) -> list[Sink]:
    """Return a sink for each name: a web address if it has a scheme, else the path of a file.

    Raises:
        UsageError: an address cannot be used, or a sink is named twice.
        ConfigurationError: the secret of a web address is missing or cannot be used.
    """
    from pipeline.sources.webhook import origin

    sinks: list[Sink] = []
    for name in names:
        if "://" in name:
            origin(name)  # a wrong address is reported before a missing secret
            sinks.append(WebhookSink(name, webhook_secret(environment), clock=time.time, sleep=time.sleep))
        else:
            sinks.append(FileSink(Path(name)))
    if len({sink.sink_id for sink in sinks}) < len(sinks):
        raise UsageError("a sink is named twice", where="--sink", hint="name each sink once")
    return sinks


def encode(event: Event) -> bytes:
    """Return an event as one line of JSON. Times are UTC; the state of a joiner or leaver is an object."""
    document = {name: _plain(value) for name, value in event.items()}
    if event.get("state") is not None:
        document["state"] = json.loads(str(event["state"]))
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    return value.isoformat(timespec="milliseconds") + "Z" if isinstance(value, datetime) else value


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
