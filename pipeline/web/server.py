"""Serves the page over HTTP or HTTPS until it is interrupted."""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from pipeline.errors import ConfigurationError, UsageError
from pipeline.settings import is_loopback
from pipeline.web.connections import BoundedSocket, most_connections, timed_protocol

__all__ = ["Address", "Listener"]

#: Seconds that open requests get to end when the server stops.
_GRACE = 5
#: Connections that wait to be accepted; the event loop accepts as many at once.
_BACKLOG = 64
_HINTS = {
    errno.EADDRINUSE: "another program uses this port: choose another --port, or stop that program",
    errno.EACCES: "ports below 1024 need more rights: choose another --port",
    errno.EADDRNOTAVAIL: "this machine does not have that address: correct --host",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; ``certificate`` and ``key`` are PEM files, both for HTTPS or neither for HTTP."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_encrypted(self) -> bool:
        """Return whether the server speaks HTTPS."""
        return self.certificate is not None


class Listener:
    """A socket that accepts connections, before there is a page to serve: problems with the address show early.

    Raises:
        UsageError: the address cannot be used.
        ConfigurationError: the certificate or its key cannot be used.
    """

    def __init__(self, address: Address) -> None:
        _check_certificate(address)
        self.address = address
        self.socket = _bound(address)

    @property
    def place(self) -> tuple[str, int]:
        """Return the host as it was given, and the port that is used."""
        return self.address.host, int(self.socket.getsockname()[1])

    def port_warning(self, base_url: str | None) -> str | None:
        """Return a warning if links name another port of this machine than the one that is used, else None."""
        parts = urlsplit(base_url or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if not parts.hostname or port == self.place[1]:
            return None
        if is_loopback(parts.hostname):
            return f"links lead to port {port} of base_url in [web], but the page is at port {self.place[1]}"
        if self.address.is_encrypted:
            return f"links lead to {base_url}, but this server listens at port {self.place[1]}"
        return None

    def server(self, app: ASGIApp) -> uvicorn.Server:
        """Return a server that answers requests of this socket within the limits of connections."""
        config = uvicorn.Config(
            app,
            http=timed_protocol(self.socket),
            backlog=_BACKLOG,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",  # a warning for each request that is not HTTP would fill the disk
            access_log=False,  # addresses of links would be in it
            server_header=False,
            proxy_headers=False,  # the guard decides what to believe
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=self.address.certificate,
            ssl_keyfile=self.address.key,
        )
        return uvicorn.Server(config)

    def serve(self, app: ASGIApp) -> None:
        """Answer requests until the process is interrupted."""
        with self.socket, suppress(KeyboardInterrupt):
            self.server(app).run(sockets=[self.socket])


def _check_certificate(address: Address) -> None:
    if (address.certificate is None) != (address.key is None):
        raise UsageError(
            "a certificate needs its key, and a key its certificate",
            where="--tls-cert and --tls-key",
            hint="give both options, or neither to serve HTTP",
        )
    if address.certificate is None or address.key is None:
        return
    for option, path in (("--tls-cert", address.certificate), ("--tls-key", address.key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be read: {error.strerror}", where=option, hint="check the path and its permissions"
            ) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            address.certificate, address.key, password=_no_password
        )
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"{address.certificate} and {address.key} cannot be used together",
            where="--tls-cert and --tls-key",
            hint="use a certificate and the key it was made for, both in PEM, the key without a password",
        ) from error


def _no_password() -> str:
    """Refuse a key with a password, for which OpenSSL would ask on the terminal."""
    raise ValueError("the key has a password")


def _bound(address: Address) -> BoundedSocket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise UsageError(
            f"'{address.host}' is not an address of this machine",
            where="--host",
            hint="use 127.0.0.1, 0.0.0.0 or a name of this machine",
        ) from error
    # asyncio disables Nagle's delay only if the protocol is given; otherwise each answer takes 40 ms longer
    listener = BoundedSocket(family, kind, protocol or socket.IPPROTO_TCP, most=most_connections())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {address.port} on {address.host} cannot be used: {error.strerror}",
            where="--port",
            hint=_HINTS.get(error.errno or 0, "choose another --port or --host"),
        ) from error
    return listener
