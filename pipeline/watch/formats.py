"""The forms in which events reach a sink: as the log has them, or as OCSF."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.errors import UsageError
from pipeline.reporting.exports import with_values
from pipeline.warehouse import events, saved

__all__ = ["LOG", "Event", "EventFormat", "event_format"]

#: One row of the query of a format.
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One form of events.

    ``select`` reads them from the database. ``encode`` returns one as a line of JSON, without its end. ``identity``
    returns the position and the id of an event that was written; it raises KeyError or TypeError for other documents.
    """

    name: str
    select: str
    encode: Callable[[Event], bytes]
    identity: Callable[[Any], tuple[int, str]]


def _encode_row(event: Event) -> bytes:
    """Return an event with the names of its columns. Times are UTC; the state of a joiner or leaver is an object."""
    document = {name: _plain(value) for name, value in event.items()}
    if event.get("state") is not None:
        document["state"] = json.loads(str(event["state"]))
    return _line(document)


def _encode_document(event: Event) -> bytes:
    return _line(with_values(json.loads(str(event["document"]))))


def _line(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    return value.isoformat(timespec="milliseconds") + "Z" if isinstance(value, datetime) else value


def _ocsf_identity(document: Any) -> tuple[int, str]:
    return int(document["metadata"]["sequence"]), document["metadata"]["uid"]


#: The columns of ``history.events``.
LOG = EventFormat("json", events.LOG, _encode_row, lambda document: (int(document["position"]), document["event_id"]))


def event_format(name: str) -> EventFormat:
    """Return the format of that name.

    Raises:
        UsageError: there is none.
    """
    if name == LOG.name:
        return LOG
    if name == "ocsf":
        return EventFormat(name, saved.statement("exports", name), _encode_document, _ocsf_identity)
    raise UsageError(f"there is no format of events '{name}'", where="--format", hint="use json or ocsf")
