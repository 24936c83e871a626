"""Answers ``/healthz`` and ``/metrics`` on an address of its own, in a thread, while the process does its work.

The address is not the one of the page: what is behind a public proxy must not show metrics to reviewers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from prometheus_client import Metric
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.errors import UsageError
from pipeline.monitoring.exposition import exposition
from pipeline.web.server import Address, Listener

__all__ = ["MetricsListener", "Monitor"]

_LOOPBACK = "127.0.0.1"


class Monitor(Protocol):
    """A process that is monitored."""

    def health(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether the process is well, and a JSON document about it without personal data."""

    def metrics(self) -> Sequence[Metric]:
        """Return its metrics."""


class MetricsListener:
    """The socket of ``--metrics``: a port, on loopback, or ``HOST:PORT``; an IPv6 address stands in brackets.

    Raises:
        UsageError: it is not an address, or the address cannot be used.
    """

    def __init__(self, given: str) -> None:
        host, _, port = given.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or _LOOPBACK
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise UsageError(f"'{given}' is not an address", where="--metrics", hint="write 9464 or 127.0.0.1:9464")
        try:
            self._listener = Listener(Address(host, int(port)))
        except UsageError as error:
            hint = "choose another address or port, or stop the program that uses it"
            raise UsageError(error.message, where="--metrics", hint=hint) from error

    @property
    def url(self) -> str:
        """The address of the metrics."""
        host, port = self._listener.place
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"

    @contextmanager
    def serving(self, monitor: Monitor) -> Iterator[None]:
        """Answer requests about a process while the block runs."""
        server = self._listener.server(_application(monitor))
        thread = threading.Thread(target=server.run, args=([self._listener.socket],), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()
            self._listener.socket.close()


def _application(monitor: Monitor) -> Starlette:
    def healthz(_: Request) -> Response:
        is_well, document = monitor.health()
        return JSONResponse(document, 200 if is_well else 503)

    def metrics(request: Request) -> Response:
        body, content_type = exposition(list(monitor.metrics()), request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])
