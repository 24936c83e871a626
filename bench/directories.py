"""Reading a directory whose pages link to each other: against the latency of its pages, one after the other.

Run as a program (``python -m bench.directories PEOPLE DELAY_MS``) it serves an Okta and a Microsoft Graph with
prepared answers; it prints its port, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from bench.harness import Row, in_child, ratios, times

_DELAY = 0.1
#: The records of a page, and how often the list is read: Okta has no count, so two readings must agree.
_KINDS = {"okta": (200, 2), "entra": (999, 1)}
#: How many requests besides the pages of users are made one after the other.
_OTHERS = "besides the pages: login and probes, and counts before and after"


def run(quick: bool, folder: Path) -> list[Row]:
    """Measure both directories, and their memory at a tenth of the size."""
    people = 10_000 if quick else 100_000
    rows: list[Row] = []
    for kind, (page, readings) in _KINDS.items():
        law = math.ceil(people / page) * readings * _DELAY
        done: list[dict[str, float]] = []
        bare: list[float] = []
        for _ in range(1 if quick else 2):
            done.append(_measure(folder, kind, people, _DELAY))
            bare.append(_bare(kind, people) * readings)
        small = _measure(folder, kind, people // 10, 0)
        large = _measure(folder, kind, people, 0)
        what = f"{kind}: {people:,} people, {page} a page, 100 ms an answer"
        pages = [each["pages"] for each in done]
        rows += [
            Row(
                f"{what}: the pages of users",
                f"pages x {readings} x 100 ms, one after the other, {law:.1f} s",
                [span / law for span in pages],
                "x",
                1.15,
                f"{times(pages)}; the whole extract {times([each['seconds'] for each in done])}, {_OTHERS}; "
                f"{done[-1]['cpu_ms']:.1f} ms of processor time a page",
            ),
            Row(
                f"{what}: the pages of users",
                "a bare client that follows the same links and reads nothing, in the same round",
                ratios(pages, bare),
                "x",
                1.15,
                f"{times(pages)} against {times(bare)}",
            ),
            Row(
                f"{kind}: peak memory, {people:,} people against {people // 10:,}",
                "flat, but for the ids of two readings",
                [large["peak_mb"] / small["peak_mb"]],
                "x",
                1.5,
                f"{large['peak_mb']:.0f} MB against {small['peak_mb']:.0f} MB",
            ),
        ]
    return rows


def _bare(kind: str, people: int) -> float:
    """Return the seconds in which a client requests the pages of users once, and only finds their links."""
    size = _KINDS[kind][0]
    path = "/api/v1/users" if kind == "okta" else "/v1.0/users"
    with _serving(people, round(_DELAY * 1000)) as port, httpx.Client(trust_env=False) as client:
        began = time.perf_counter()
        for page in range(math.ceil(people / size)):
            client.get(f"http://127.0.0.1:{port}{path}?at={page}").raise_for_status()
        return time.perf_counter() - began


def _measure(folder: Path, kind: str, people: int, delay: float) -> dict[str, float]:
    spool = folder / "directory-spool"
    with _serving(people, round(delay * 1000)) as port:
        found = in_child("directory", str(spool), str(port), kind)
    shutil.rmtree(spool)
    assert found["people"] == people
    return found


@contextmanager
def _serving(people: int, delay_ms: int) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.directories", str(people), str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _okta_user(number: int) -> dict[str, object]:
    return {
        "id": f"00u{number:017}",
        "status": "ACTIVE",
        "created": "2024-01-01T00:00:00.000Z",
        "statusChanged": "2024-01-02T00:00:00.000Z",
        "lastLogin": "2026-01-02T00:00:00.000Z",
        "profile": {
            "login": f"user{number}@example.com",
            "email": f"user{number}@example.com",
            "firstName": "First",
            "lastName": f"Last {number}",
            "mobilePhone": "+1 555 0100",
            "department": "Sales",
            "managerId": "00u00000000000000000",
        },
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"https://example.okta.com/api/v1/users/00u{number:017}"}},
    }


def _graph_user(number: int) -> dict[str, object]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "accountEnabled": True,
        "userPrincipalName": f"user{number}@example.com",
        "mail": f"user{number}@example.com",
        "otherMails": [],
        "proxyAddresses": [f"SMTP:user{number}@example.com"],
        "displayName": f"Name {number}",
        "department": "Sales",
        "jobTitle": "Analyst",
        "userType": "Member",
        "createdDateTime": "2024-01-01T00:00:00Z",
        "signInActivity": {"lastSignInDateTime": "2026-01-02T00:00:00Z"},
        "manager": {"id": "00000000-0000-4000-8000-000000000000", "mail": "user0@example.com"},
    }


class _Server:
    """Prepared answers. A page is encoded before the first request."""

    def __init__(self, people: int, delay: float) -> None:
        self._people, self._delay = people, delay
        self._pages: dict[str, list[bytes]] = {}
        for kind, make in (("okta", _okta_user), ("entra", _graph_user)):
            size = _KINDS[kind][0]
            self._pages[kind] = [
                json.dumps([make(number) for number in range(first, min(first + size, people))]).encode()
                for first in range(0, people, size)
            ]

    def _answer(self, path: str, query: Mapping[str, str], host: str) -> tuple[int, bytes, str]:
        """Return the status, the body and further headers of an answer."""
        number = int(query.get("at", "0"))
        following = f"http://{host}{path}?at={number + 1}"
        if path == "/api/v1/users" and "filter" not in query:
            pages = self._pages["okta"]
            link = f'Link: <{following}>; rel="next"\r\n' if number + 1 < len(pages) else ""
            return 200, pages[number], link
        if path == "/v1.0/users" and query.get("$top") != "1":
            pages = self._pages["entra"]
            more = f'"@odata.nextLink":"{following}",'.encode() if number + 1 < len(pages) else b""
            return 200, b"{" + more + b'"value":' + pages[number] + b"}", ""
        if path.endswith("/token"):
            return 200, b'{"access_token":"synthetic-bench-token","expires_in":3600}', ""
        if path.endswith("/$count"):
            return 200, b"0" if "groups" in path else str(self._people).encode(), ""
        if path.startswith("/v1.0/"):
            return 200, b'{"value":[]}', ""
        return (200, b"[]", "") if path in {"/api/v1/users", "/api/v1/groups"} else (403, b"{}", "")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            target = urlsplit(line.split()[1].decode())
            headers: dict[str, str] = {}
            while (header := (await reader.readline()).decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            await reader.readexactly(int(headers.get("content-length", "0")))
            await asyncio.sleep(self._delay)
            status, body, more = self._answer(target.path, dict(parse_qsl(target.query)), headers["host"])
            head = (
                f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()


async def _main(people: int, delay: float) -> None:
    listening = await asyncio.start_server(_Server(people, delay).serve, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
