"""A Sisense whose answers cost almost nothing: prepared pages over loopback, from a separate process.

The organisation is the simulator's, multiplied (``bench.organisation``). The records are encoded before the first
request, so that a benchmark measures the reader; a page only joins them.

Run as a program (``python -m bench.instance ACCOUNTS DELAY_MS PAGE_SIZE [objects]``) it prints its port and its
token, and serves until its standard input ends; with ``simulator`` for the delay it is the program's own simulator,
which encodes every answer on request. With ``objects`` it has dashboards and models too.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from bench.objects import SIZES, ObjectAnswers
from bench.organisation import Organisation, encode, listed
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.simulator import population

TOKEN = "synthetic-bench-token"  # valid for this server only


@dataclass(frozen=True, slots=True)
class Instance:
    """A running server, with the ``source`` and ``credentials`` for an extract."""

    port: int
    accounts: int
    page_size: int
    token: str = TOKEN

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def source(self, concurrency: int) -> SourceSettings:
        return SourceSettings(
            name="prod", kind="sisense", url=self.url, page_size=self.page_size, concurrency=concurrency
        )

    @property
    def credentials(self) -> Credentials:
        return Credentials(None, None, Secret(self.token))


@contextmanager
def serving(
    accounts: int, *, delay_ms: int = 0, page_size: int = 500, has_objects: bool = False
) -> Iterator[Instance]:
    """Run the server of prepared answers in a separate process until the block ends.

    ``has_objects`` adds the dashboards, models and settings of ``bench.objects``.
    """
    with _process(accounts, str(delay_ms), page_size, *(["objects"] if has_objects else [])) as server:
        yield server


@contextmanager
def simulating(accounts: int, *, page_size: int = 500) -> Iterator[Instance]:
    """Run the simulator of the program in a separate process until the block ends."""
    with _process(accounts, "simulator", page_size) as server:
        yield server


@contextmanager
def _process(accounts: int, kind: str, page_size: int, *more: str) -> Iterator[Instance]:
    command = [sys.executable, "-m", "bench.instance", str(accounts), kind, str(page_size), *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the server has no pipes")
        try:
            port, _, token = process.stdout.readline().partition(" ")
            if not token:
                raise RuntimeError("the server did not start")
            yield Instance(int(port), accounts, page_size, token.strip())
        finally:
            process.stdin.close()
            process.wait(10)


class _Answers:
    """All answers. The records are encoded beforehand; a page is joined on request."""

    def __init__(self, accounts: int, page_size: int, *, has_objects: bool) -> None:
        organisation = Organisation(accounts, SIZES if has_objects else None)
        source = organisation.original
        self.objects = ObjectAnswers(source) if has_objects else None
        self.page_size = page_size
        self.lists = {
            "/api/v1/users": sorted(islice(organisation.users(), accounts), key=_id_of),
            "/api/v1/groups": list(organisation.groups()),
        }
        caller = next(user for user in source.users if user["userName"] == population.CALLER)
        role = next(role for role in source.roles if role["_id"] == caller["roleId"])
        login = {"success": True, "message": "", "access_token": TOKEN, "profile": caller}
        self.fixed = {
            "/api/v1/authentication/login": _response(encode(login)),
            "/api/v1/application/status": _response(encode({"version": {"version": "2026.1.0.bench"}})),
            "/api/users/loggedin": _response(encode({**caller, "roleName": role["name"]})),
            "/api/users/count": _response(encode({"collection": "users", "count": accounts})),
            "/api/roles": _response(encode(source.roles)),
        }
        self.absent = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    def to(self, target: str) -> bytes:
        parts = urlsplit(target)
        if records := self.lists.get(parts.path):
            query = dict(parse_qsl(parts.query))
            skip, limit = int(query["skip"]), min(int(query["limit"]), self.page_size)
            return _response(listed(records[skip : skip + limit]))
        if parts.path not in self.fixed and self.objects and (body := self.objects.to(target)) is not None:
            return _response(body)
        return self.fixed.get(parts.path, self.absent)


class _Connection(asyncio.Protocol):
    def __init__(self, answers: _Answers, delay: float) -> None:
        self._answers = answers
        self._delay = delay
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if len(rest) < length:
            return
        self._held = rest[length:]
        answer = self._answers.to(head.split(b" ", 2)[1].decode())
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def _serve(accounts: int, delay: float, page_size: int, *, has_objects: bool) -> None:
    answers = _Answers(accounts, page_size, has_objects=has_objects)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], TOKEN, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def _id_of(record: bytes) -> bytes:
    """Return the id of an encoded record: the list is requested in its order."""
    start = record.index(b'"_id":"') + 7
    return record[start : start + 24]


def _response(body: bytes) -> bytes:
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Date: {now}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _simulate(accounts: int) -> None:
    from pipeline.simulator.server import Simulator

    with Simulator(accounts) as simulator:
        print(simulator.port, simulator.token, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _accounts, _kind, _page_size, *_more = sys.argv[1:]
    if _kind == "simulator":
        _simulate(int(_accounts))
    else:
        asyncio.run(_serve(int(_accounts), int(_kind) / 1000, int(_page_size), has_objects=_more == ["objects"]))
