"""One visitor who opens many connections, or is slow, keeps nobody else out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from pipeline.web import connections
from pipeline.web.connections import BoundedSocket, timed_protocol

UNFINISHED = b"GET / HTTP/1.1\r\nHost: reviews\r\nX-Slow: "


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve an answer to everybody, with at most 20 connections and a second for the head of a request."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    with BoundedSocket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, most=20) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(
            PlainTextResponse("ok"), http=timed_protocol(listener), ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join()


def unfinished(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(UNFINISHED)
    return connection


def test_unfinished_requests_keep_no_visitor_out(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(unfinished(port)) for _ in range(60)]
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "ok"
        assert slow[0].recv(100) == b""
    assert not [record for record in caplog.records if record.exc_info]


def test_a_request_that_does_not_arrive_in_time_is_ended(port: int) -> None:
    with unfinished(port) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
        assert connection.recv(100) == b""


def test_a_connection_is_used_again(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert [client.get("/").text for _ in range(3)] == ["ok"] * 3


def test_one_address_has_fewer_connections_than_all() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(
            BoundedSocket(socket.AF_INET, socket.SOCK_STREAM, 0, most=5, from_one_address=2)
        )
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        monkeypatch.setattr(connections, "_address", lambda peer: "192.0.2.7")
        visitors = [stack.enter_context(socket.create_connection(listener.getsockname(), 5)) for _ in range(3)]
        accepted = [stack.enter_context(listener.accept()[0]) for _ in range(3)]
        assert visitors[0].recv(10) == b""
        for connection in accepted[1:]:
            listener.mark(connection.fileno(), is_waiting=False)
        visitors.append(stack.enter_context(socket.create_connection(listener.getsockname(), 5)))
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        assert visitors[3].recv(20).startswith(b"HTTP/1.1 503")
