"""Limits of connections, so that one visitor cannot keep the others out by opening many and finishing no request.

The socket counts connections from their acceptance, before TLS. Where there are too many, those that have waited
longest for a request are closed; only if all are being answered, the new one is refused. The protocol closes a
connection whose request does not arrive in time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
import socket
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_SECONDS", "BoundedSocket", "most_connections", "timed_protocol"]

#: Seconds in which the head of a request must arrive, from the connection or from the answer before.
HEAD_SECONDS = 10.0
#: Seconds in which a request must be answered whole. Reminders to many reviewers take a while.
_ANSWER_SECONDS = 300.0
#: Connections from one address. Browsers open six each, and an office may share one address.
_FROM_ONE_ADDRESS = 100
#: Connections in all.
_IN_ALL = 500
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n"
_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def most_connections() -> int:
    """Return how many connections may be open, so that the program never runs out of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _IN_ALL if files == resource.RLIM_INFINITY else max(8, min(_IN_ALL, files // 2))


class _Connection(socket.socket):
    """A connection that leaves the count when it is closed."""

    owner: BoundedSocket
    #: The visitor's address, or empty for this machine, where a proxy connects for everybody.
    address: str
    #: The descriptor, which a closed socket no longer knows.
    number: int

    def close(self) -> None:
        """Close the connection and take it out of the count."""
        self.owner.forget(self)
        super().close()


class BoundedSocket(socket.socket):
    """A listening socket with at most ``most`` open connections, and fewer from one address."""

    def __init__(
        self, family: int, kind: int, protocol: int, *, most: int, from_one_address: int | None = None
    ) -> None:
        super().__init__(family, kind, protocol)
        self._most = most
        self._from_one = from_one_address or min(_FROM_ONE_ADDRESS, most)
        #: Connections by descriptor: all that count, and those without a request, which wait longest first.
        self._open: dict[int, _Connection] = {}
        self._waiting: dict[int, _Connection] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection and make room for it.

        Raises:
            ConnectionAbortedError: there is no room; the connection was closed.
        """
        plain, peer = super().accept()
        number = plain.detach()
        connection = _Connection(self.family, self.type, self.proto, fileno=number)
        connection.setblocking(False)
        connection.owner, connection.address, connection.number = self, _address(peer), number
        if not self._has_room(connection.address):
            with suppress(OSError):
                connection.send(_REFUSED)
            connection.close()
            raise ConnectionAbortedError("too many connections")
        self._open[number] = self._waiting[number] = connection
        return connection, peer

    def _has_room(self, address: str) -> bool:
        """Close a connection that waits where there are too many; return False if none does."""
        same = [each for each in self._open.values() if each.address == address] if address else []
        if len(same) >= self._from_one:
            return self._close_first(address)
        return len(self._open) < self._most or self._close_first("")

    def _close_first(self, address: str) -> bool:
        waiting = (each for each in self._waiting.values() if not address or each.address == address)
        first = next(waiting, None)
        if first is None:
            return False
        self.forget(first)
        with suppress(OSError):  # the event loop sees the end of the connection and closes it
            first.shutdown(socket.SHUT_RDWR)
        return True

    def forget(self, connection: _Connection) -> None:
        """Take a connection out of the count."""
        if self._open.get(connection.number) is connection:
            del self._open[connection.number]
            self._waiting.pop(connection.number, None)

    def mark(self, number: int, *, is_waiting: bool) -> None:
        """Note whether a connection waits for a request or is being answered."""
        self._waiting.pop(number, None)
        if is_waiting and number in self._open:
            self._waiting[number] = self._open[number]


def _address(peer: Any) -> str:
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except (ValueError, IndexError):
        return ""
    if address.is_loopback:
        return ""
    # a visitor has all addresses of an IPv6 network
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def timed_protocol(listener: BoundedSocket) -> type[H11Protocol]:
    """Return the protocol for the connections of a socket: HTTP/1.1 with limits of time."""

    class TimedProtocol(H11Protocol):
        """Closes a connection whose request, or its answer, takes too long."""

        _timer: asyncio.TimerHandle | None = None
        _number = -1

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._number = transport.get_extra_info("socket").fileno()
            self._await_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before and not self.cycle.response_complete:
                self._stop()
                listener.mark(self._number, is_waiting=False)
                self._timer = self.loop.call_later(_ANSWER_SECONDS, self.transport.abort)

        def on_response_complete(self) -> None:
            self._await_request()  # first, because the next request may be there already
            super().on_response_complete()

        def _await_request(self) -> None:
            self._stop()
            if not self.transport.is_closing():
                listener.mark(self._number, is_waiting=True)
                self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

        def _give_up(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(_TOO_LATE)
                self.transport.close()

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return TimedProtocol
