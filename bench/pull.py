"""Pulling 100,000 accounts in pages of 500: with latency, and without latency compared with reading bytes alone."""

from __future__ import annotations

import asyncio
import math
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench.harness import Row, alternate, ratios, times
from bench.instance import Instance, serving, simulating
from pipeline.clock import utc_now
from pipeline.sources.extract import ExtractJob
from pipeline.sources.paging import read_list
from pipeline.sources.sisense import extract as sisense
from pipeline.sources.sisense.lists import RestList
from pipeline.sources.sisense.rest import SisenseApi
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client
from pipeline.spool import Spool

_DELAY = 0.1
_LONG_DELAY = 1.0
_AT_ONCE = 8


def latency(quick: bool, _folder: Path) -> list[Row]:
    accounts = 30_000 if quick else 100_000
    rounds = 3 if quick else 5
    law = math.ceil(accounts / 500 / _AT_ONCE)
    with serving(accounts, delay_ms=round(_DELAY * 1000)) as server:
        seconds = alternate(
            rounds, {"pages": lambda: pages_alone(server, _AT_ONCE), "extract": lambda: _whole(server, _AT_ONCE)}
        )
    with serving(accounts, delay_ms=round(_LONG_DELAY * 1000)) as server:
        slow = _whole(server, _AT_ONCE)
    what = f"pull {accounts:,} accounts, 500 a page, 100 ms an answer, {_AT_ONCE} at once"
    against = f"ceil(pages / {_AT_ONCE}) x 100 ms = {law * _DELAY:.1f} s"
    return [
        Row(
            f"{what}: the pages of accounts alone",
            against,
            [span / (law * _DELAY) for span in seconds["pages"]],
            "x",
            1.1,
            f"{times(seconds['pages'])}; adjacent pages share a record, and two pages prove the end",
        ),
        Row(
            f"{what}: the whole extract",
            against,
            [span / (law * _DELAY) for span in seconds["extract"]],
            "x",
            1.3,
            f"{times(seconds['extract'])}; besides the pages: one round of status, probes, roles and the count "
            "before, one for the count after; groups (twice) and the probes of objects take turns with the pages",
        ),
        Row(
            f"the whole extract with {_LONG_DELAY:.0f} s an answer, where only the rounds of requests count",
            f"ceil(pages / {_AT_ONCE}) = {law} rounds",
            [slow / (law * _LONG_DELAY)],
            "x",
            1.3,
            f"{slow / _LONG_DELAY:.1f} rounds",
        ),
    ]


def bytes_only(quick: bool, _folder: Path) -> list[Row]:
    accounts = 30_000 if quick else 100_000
    rounds = 3 if quick else 5
    with serving(accounts) as server:
        prepared = alternate(rounds, _accounts_alone(server, accounts))
    with simulating(accounts) as server:
        live = alternate(rounds, _accounts_alone(server, accounts))
    return [
        Row(
            f"pull {accounts:,} accounts without latency, from answers made beforehand",
            "bytes only, one raw socket",
            ratios(prepared["extract"], prepared["socket"]),
            "x",
            4,
            f"{times(prepared['extract'])} against {times(prepared['socket'])}; bound by reading JSON in Python",
        ),
        Row(
            f"pull {accounts:,} accounts without latency, from the simulator, which encodes every answer",
            "bytes only, one raw socket",
            ratios(live["extract"], live["socket"]),
            "x",
            4,
            f"{times(live['extract'])} against {times(live['socket'])}; the server's own work is in both",
        ),
    ]


def _accounts_alone(server: Instance, accounts: int) -> dict[str, Callable[[], float | None]]:
    """Return the extract, without the dashboards that the simulator has by the thousand, and the bare reading."""
    return {
        "extract": lambda: extract(server, 4, objects=False),
        "socket": lambda: _one_socket(server, accounts),
    }


def extract(server: Instance, concurrency: int, *, objects: bool | None = None) -> float:
    """Extract everything; return the seconds from the first request for accounts to the last accepted page."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool.create(Path(folder) / "spool")
        source = replace(server.source(concurrency), objects=objects)
        job = ExtractJob(source, spool, lambda _what, _done, _total: None)
        sisense.extract(job, server.credentials)
        spool.close()
        pages = [page for page in spool.pages() if page.resource == "users"]
    first = min(datetime.fromisoformat(page.started_at) for page in pages)
    last = max(datetime.fromisoformat(page.fetched_at) for page in pages)
    return (last - first).total_seconds()


def _whole(server: Instance, concurrency: int) -> float:
    """Return the seconds of a whole extract."""
    began = time.perf_counter()
    extract(server, concurrency)
    return time.perf_counter() - began


def pages_alone(server: Instance, concurrency: int) -> float:
    """Read the list of accounts and nothing beside it; return the seconds from the first request to the last page."""
    return asyncio.run(_read_pages(server, concurrency))


async def _read_pages(server: Instance, concurrency: int) -> float:
    moments: list[datetime] = []
    source = server.source(concurrency)
    async with Client(source, clock=utc_now, sleep=asyncio.sleep) as client:
        api = SisenseApi(client, Session(client, server.credentials))
        users, count = await api.find_users(source.page_size), await api.find_count()
        await read_list(
            RestList(api, users.endpoint, count),
            lambda page: moments.extend((page.answer.started_at, page.answer.fetched_at)),
            page_size=source.page_size,
            workers=concurrency,
            progress=lambda _done, _total: None,
            is_size_known=True,
        )
    return (max(moments) - min(moments)).total_seconds()


def _one_socket(server: Instance, accounts: int) -> None:
    """Read the same pages one after another, without parsing them."""
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for offset in range(0, accounts, server.page_size):
            connection.sendall(
                f"GET /api/v1/users?skip={offset}&limit={server.page_size}&sort=_id HTTP/1.1\r\n"
                f"Host: bench\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
            )
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65_536)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= connection.recv_into(buffer)
