"""Messages as JSON lines for a log: ``--log-format json``.

Each line on stderr is one object: ``time`` (UTC), ``level`` (debug, info, warning or error), ``event``, and the
fields of that event. What libraries log is the event ``log``, with the name of the logger.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import Enum

from pipeline.clock import utc_now

__all__ = ["LogFormat", "capture_libraries", "write"]


class LogFormat(str, Enum):  # noqa: UP042 - typer shows the values of such an enumeration
    """The form of messages on stderr."""

    text = "text"
    json = "json"


def write(level: str, event: str, fields: Mapping[str, object]) -> None:
    """Write one line."""
    time = utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"time": time, "level": level, "event": event, **fields}
    sys.stderr.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()


def capture_libraries() -> None:
    """Write what libraries log, and the warnings of Python, as lines too."""
    import logging  # it takes a while, and most commands do without

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            level = "error" if record.levelno >= logging.ERROR else "warning"
            write(level, "log", {"logger": record.name, "message": record.getMessage()})

    logging.captureWarnings(True)
    logging.getLogger().addHandler(Lines(logging.WARNING))
