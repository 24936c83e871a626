"""Pulling 100,000 accounts in pages of 500: with latency, and without latency compared with reading bytes alone."""

from __future__ import annotations

import math
import socket
import tempfile
from datetime import datetime
from pathlib import Path

from bench.harness import Row, alternate, ratios, times
from bench.instance import Instance, serving, simulating
from pipeline.sources.extract import ExtractJob
from pipeline.sources.sisense import extract as sisense
from pipeline.spool import Spool

_DELAY = 0.1
_AT_ONCE = 8


def latency(quick: bool, _folder: Path) -> list[Row]:
    accounts = 30_000 if quick else 100_000
    rounds = 3 if quick else 5
    pages_law = math.ceil(accounts / 500 / _AT_ONCE) * _DELAY
    pages: list[float] = []
    with serving(accounts, delay_ms=round(_DELAY * 1000)) as server:

        def whole() -> None:
            pages.append(extract(server, _AT_ONCE))

        seconds = alternate(rounds, {"extract": whole})["extract"]
    what = f"pull {accounts:,} accounts, 500 a page, 100 ms an answer, {_AT_ONCE} at once"
    law = f"ceil(pages / {_AT_ONCE}) x 100 ms = {pages_law:.1f} s"
    return [
        Row(
            f"{what}: the pages of accounts",
            law,
            [span / pages_law for span in pages],
            "x",
            1.15,
            f"{times(pages)}; two pages come on top of the formula: the first is requested alone, to learn what the "
            "server supports, and an empty one proves the end",
        ),
        Row(
            f"{what}: the whole extract",
            law,
            [span / pages_law for span in seconds],
            "x",
            None,
            f"{times(seconds)}; besides the pages, one answer follows the other: status, probes, the count "
            "before and after, and the groups, read twice",
        ),
    ]


def bytes_only(quick: bool, _folder: Path) -> list[Row]:
    accounts = 30_000 if quick else 100_000
    rounds = 3 if quick else 5
    with serving(accounts) as server:
        prepared = alternate(
            rounds, {"extract": lambda: extract(server, 4), "socket": lambda: _one_socket(server, accounts)}
        )
    with simulating(accounts) as server:
        live = alternate(
            rounds, {"extract": lambda: extract(server, 4), "socket": lambda: _one_socket(server, accounts)}
        )
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


def extract(server: Instance, concurrency: int) -> float:
    """Extract everything; return the seconds from the first request for accounts to the last accepted page."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool.create(Path(folder) / "spool")
        job = ExtractJob(server.source(concurrency), spool, lambda _what, _done, _total: None)
        sisense.extract(job, server.credentials)
        spool.close()
        pages = [page for page in spool.pages() if page.resource == "users"]
    first = min(datetime.fromisoformat(page.started_at) for page in pages)
    last = max(datetime.fromisoformat(page.fetched_at) for page in pages)
    return (last - first).total_seconds()


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
