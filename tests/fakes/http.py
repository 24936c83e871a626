"""A small HTTP/1.1 server in a thread, whose replies may be invalid: truncated, reset, or followed by a hang-up."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as the server received it; ``connection`` counts the connections from 1."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def bearer(self) -> str | None:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


@dataclass(frozen=True)
class Reply:
    """One reply. ``cut`` sends so many bytes of the body, ``reset`` none; ``hang_up`` closes after the whole body."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    hang_up: bool = False
    delay: float = 0.0
    reason: str = "x"


def as_json(value: Any, status: int = 200, **options: Any) -> Reply:
    """Return a JSON reply; ``options`` are fields of :class:`Reply`."""
    return Reply(status, json.dumps(value).encode(), **options)


def as_html(title: str = "Sign in", status: int = 200) -> Reply:
    """Return a web page."""
    return Reply(status, f"<!doctype html><title>{title}</title>".encode(), "text/html; charset=utf-8")


class HttpServer:
    """Serves ``answer`` on loopback to the end of the ``with`` block.

    ``answer`` may be replaced while it serves; ``requests`` are all requests so far, and ``most_at_once`` is how many
    of them at most waited for their answer at the same time.
    """

    def __init__(self, answer: Callable[[Request], Reply], *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._stop: asyncio.Event
        self._connections = 0
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._waiting = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> HttpServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *details: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._serve_connection(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}  # open connections, and those that are being made
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        while line := await reader.readline():
            try:
                method, target, _ = line.decode().split()
            except ValueError:  # TLS, or an empty line
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            headers = {}
            while (header := (await reader.readline()).decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            parts = urlsplit(target)
            request = Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body, connection)
            self.requests.append(request)
            self._waiting += 1
            self.most_at_once = max(self.most_at_once, self._waiting)
            try:
                reply = self.answer(request)
                if reply.delay:
                    await asyncio.sleep(reply.delay)
            finally:
                self._waiting -= 1
            if reply.reset:
                return
            fields = {"Content-Type": reply.media_type, "Content-Length": str(len(reply.body)), **reply.headers}
            head = (
                f"HTTP/1.1 {reply.status} {reply.reason}\r\n"
                + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
                + "\r\n"
            )
            writer.write(head.encode() + reply.body[: reply.cut])
            await writer.drain()
            if reply.cut is not None or reply.hang_up:
                writer.close()
                await writer.wait_closed()
                return
