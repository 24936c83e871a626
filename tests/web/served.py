"""Serves an ASGI application over real HTTP or HTTPS on loopback, in a thread, as the tests' browsers need it."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class Served:
    """A server from ``with`` to the end of the block. Give it the application after its ``port`` is known."""

    def __init__(
        self, *, certificate: Path | None = None, key: Path | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._tls = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
        self.host, self.port = host, self._socket.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        self.app: ASGIApp

    def __enter__(self) -> Served:
        config = uvicorn.Config(
            self.app,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            **self._tls,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *details: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))
