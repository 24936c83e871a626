"""The page on which reviewers decide: its start page, decisions of 20 reviewers at once, and the server's memory.

The campaigns are written straight into the file of the page. Half of their items are decided already. The server is
``access-review review serve``; the browsers are plain connections that stay open.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from itertools import chain
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench.harness import Row, peak_mb
from pipeline.review.store import ReviewStore
from pipeline.review.store.connections import create

NAME = "bench"
#: Items of one person.
EACH = 4
#: Seconds from one decision of a reviewer to the next: twice as fast as a hundred items in two minutes.
PACE = 0.6
_NOW = "2026-11-01T09:00:00.000000"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


def run(quick: bool, folder: Path) -> list[Row]:
    items, reviewers, rounds, decisions = (2_000, 20, 1, 5) if quick else (20_000, 20, 3, 20)
    pages = 3 if quick else 15
    with _serving(folder / "page-one", items, 1) as one:
        whole = [one.start_page() for _ in range(pages)]
        peak_of_one, work_of_one = one.peak_mb, one.processor_ms(pages)
    with _serving(folder / "page-many", items, reviewers) as many:
        own = [many.start_page() for _ in range(pages)]
        work_of_many = many.processor_ms(pages)
        paced = [many.decide_at_once(decisions, PACE) for _ in range(rounds)]
        work_of_decision = many.processor_ms(rounds * decisions * reviewers)
        began = time.perf_counter()
        rushed = [many.decide_at_once(decisions, 0) for _ in range(rounds)]
        rate = rounds * decisions * reviewers / (time.perf_counter() - began)
        commits = many.commits(200)
        peak = max(peak_of_one, many.peak_mb)
    campaign = f"a campaign of {items:,} items"
    at_once = f"one decision, {reviewers} reviewers at once"
    note = "of it {:.0f} ms processor time of the server"
    saved = f"{len(paced) * len(paced[0]):,} decisions; a bare commit takes {commits:.1f} ms in the median here"
    return [
        Row(f"start page, {campaign} of one reviewer", "the clock", whole, "ms", 300, note.format(work_of_one)),
        Row(
            f"start page, {campaign} of {reviewers} reviewers", "the clock", own, "ms", 300, note.format(work_of_many)
        ),
        Row(
            f"{at_once}, each every {PACE} s: 95th percentile of a round",
            "the clock",
            [_percentile(times, 95) for times in paced],
            "ms",
            50,
            f"median {statistics.median(list(chain(*paced))):.0f} ms, {note.format(work_of_decision)}; {saved}",
        ),
        Row(
            f"{at_once}, each at once after the last: 95th percentile of a round",
            "the clock",
            [_percentile(times, 95) for times in rushed],
            "ms",
            None,
            f"{rate:.0f} decisions/s, the browsers on the same cores",
        ),
        Row(f"peak memory of the server, {campaign}", "150 MB", [peak], "MB", 150),
    ]


class _Served:
    """A server process, and a signed-in browser for each reviewer."""

    def __init__(self, process: subprocess.Popen[str], url: str, store: ReviewStore, reviewers: int) -> None:
        self._process = process
        self._store = store
        self._processor_ms = 0.0
        where = urlsplit(url).netloc
        now = datetime.now(UTC)
        self.browsers = [
            _Browser(where, number, store.issue_link(_email(number), valid_days=1, now=now))
            for number in range(reviewers)
        ]
        self.start_page()  # reads the templates
        self.processor_ms(1)

    @property
    def peak_mb(self) -> float:
        return peak_mb(self._process.pid)

    def processor_ms(self, requests: int) -> float:
        """Return the processor time of the server since the last call, in milliseconds a request."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # user and system
        before, self._processor_ms = self._processor_ms, ticks * 1000 / os.sysconf("SC_CLK_TCK")
        return (self._processor_ms - before) / requests

    def start_page(self) -> float:
        """Return the milliseconds of one start page."""
        began = time.perf_counter()
        page = self.browsers[0].get("/")
        assert page.count('class="item"') >= EACH
        return (time.perf_counter() - began) * 1000

    def decide_at_once(self, decisions: int, pace: float) -> list[float]:
        """Let every reviewer decide; return the milliseconds of each decision, from when it was due."""
        found: list[list[float]] = [[] for _ in self.browsers]

        def work(browser: _Browser, times: list[float], start: float) -> None:
            for number in range(decisions):
                due = start + number * pace if pace else time.perf_counter()
                time.sleep(max(0, due - time.perf_counter()))
                browser.decide()
                times.append((time.perf_counter() - due) * 1000)

        start = time.perf_counter() + 0.1
        offsets = [start + pace * number / len(self.browsers) for number in range(len(self.browsers))]
        threads = [
            threading.Thread(target=work, args=each) for each in zip(self.browsers, found, offsets, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(len(times) == decisions for times in found), "a decision was not confirmed"
        return list(chain(*found))

    def commits(self, number: int) -> float:
        """Return the median milliseconds of a transaction that changes one value of the same file."""
        times = []
        for count in range(number):
            began = time.perf_counter()
            with self._store.writing() as connection:
                connection.execute("update links set issued_at = ?", (str(count),))
            times.append((time.perf_counter() - began) * 1000)
        return statistics.median(times)


class _Browser:
    """One reviewer's connection, with a session."""

    def __init__(self, where: str, number: int, token: str) -> None:
        self._connection = HTTPConnection(where, timeout=60)
        self._headers = {"Host": where}
        self._number = number
        self._decided = 0
        self._connection.connect()
        answer = self._send("POST", "/link", {"token": token})
        cookie = answer.headers["Set-Cookie"] or ""
        self._headers["Cookie"] = cookie.partition(";")[0]
        page = self.get("/")
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found, page[:500]
        self._csrf = found[1]

    def get(self, path: str) -> str:
        answer = self._send("GET", path)
        assert answer.status == 200, answer.status
        return self._body

    def decide(self) -> None:
        """Keep the next open item, and wait for the confirmation."""
        person, place = divmod(self._decided, EACH // 2)
        self._decided += 1
        fields = {
            "csrf": self._csrf,
            "item_id": _item_id(self._number, person, EACH // 2 + place),
            "card_id": _card_id(self._number, person),
            "decision": "keep",
        }
        self._send("POST", "/decide", fields)
        assert json.loads(self._body)["is_saved"]

    def _send(self, method: str, path: str, fields: dict[str, str] | None = None) -> HTTPResponse:
        headers = self._headers | (_FORM if fields else {})
        content = urlencode(fields) if fields else None
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
        except ConnectionError:  # the server closes a connection that is idle for seconds
            self._connection.close()
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
        self._body = answer.read().decode()
        return answer


@contextmanager
def _serving(folder: Path, items: int, reviewers: int) -> Iterator[_Served]:
    folder.mkdir()
    (folder / "access-review.toml").write_text(
        '[organization]\nname = "Example Corp"\n[reports]\ndirectory = "out"\n[sources.prod]\nkind = "sisense"\n'
        'url = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    path = folder / "out" / "campaigns" / NAME / "review.sqlite"
    path.parent.mkdir(parents=True)
    _make_store(path, items, reviewers)
    command = [sys.executable, "-m", "pipeline", "review", "serve", "--name", NAME, "--port", "0"]
    root = str(Path(__file__).parents[1])
    with (
        ReviewStore.open(path) as store,
        subprocess.Popen(
            command,
            cwd=folder,
            env={"PYTHONPATH": root},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rpartition(" ")[2].strip()
            yield _Served(process, url, store, reviewers)
        finally:
            process.kill()


def _make_store(path: Path, items: int, reviewers: int) -> None:
    """Write a campaign: ``items`` items of all reviewers together, half of the items of each person decided."""
    people = items // EACH // reviewers
    with closing(create(path)) as store:
        store.execute(
            "insert into campaign (name, organization, snapshot_id, scope, opened_at) values (?, ?, ?, ?, ?)",
            (NAME, "Example Corp", "20261101T000000Z-0000", "all", _NOW),
        )
        roles = [("prod", "Viewer", 10, 1), ("prod", "Designer", 30, 1)]
        store.executemany("insert into roles (source, name, rank, is_shown) values (?, ?, ?, ?)", roles)
        for number in range(reviewers):
            for person in range(people):
                store.execute(_INSERT_CARD, _card(number, person))
                for place in range(EACH):
                    store.execute(_INSERT_ITEM, _item(number, person, place))
                for place in range(EACH // 2):
                    store.execute(_INSERT_DECISION, _decision(number, person, place))
        store.execute("commit")


def _insert(table: str, columns: str) -> str:
    places = ", ".join(f":{column.strip()}" for column in columns.split(","))
    return f"insert into {table} ({columns}) values ({places})"


_INSERT_CARD = _insert(
    "cards", "card_id, position, name, title, department, manager_email, email, status, last_seen, findings, searched"
)
_INSERT_ITEM = _insert(
    "items",
    "item_id, card_id, position, source, account_id, user_name, email, entitlement_type, entitlement_id, name, "
    "permission_level, allows, path, risk, findings, conflict_with, peers, change, recommendation, "
    "recommendation_reason, attention, original_reviewer, reviewer",
)
_INSERT_DECISION = _insert(
    "decisions",
    "decision_id, item_id, decision, reviewer, method, is_bulk, decided_from, decided_at, recorded_at, action_id",
)


def _card(number: int, person: int) -> dict[str, object]:
    name = f"Person {person} of {number}"
    return {
        "card_id": _card_id(number, person),
        "position": person,
        "name": name,
        "title": f"Analyst {person % 40}",
        "department": f"Department {person % 60}",
        "manager_email": f"manager{person % 200}@example.com",
        "email": f"p{person}.{number}@example.com",
        "status": "active",
        "last_seen": "2026-10-03",
        "findings": "The account was not used for 120 days" if person % 10 == 0 else "",
        "searched": f"{name.lower()} p{person}.{number}@example.com viewer",
    }


def _item(number: int, person: int, place: int) -> dict[str, object]:
    kind, name = ("role", "Viewer") if place == 0 else ("group", f"Group {(person + place * 37) % 400}")
    return {
        "item_id": _item_id(number, person, place),
        "card_id": _card_id(number, person),
        "position": person * EACH + place,
        "source": "prod",
        "account_id": f"{number}-{person}",
        "user_name": f"p{person}.{number}",
        "email": f"p{person}.{number}@example.com",
        "entitlement_type": kind,
        "entitlement_id": f"{kind}:{name}",
        "name": name,
        "permission_level": "standard",
        "allows": f"Opens 14 dashboards and 2 data models shared with {name}.",
        "path": "direct",
        "risk": "high" if place == 0 and person % 20 == 0 else "info",
        "findings": "Held by few peers" if place == 1 and person % 10 == 0 else "",
        "conflict_with": "",
        "peers": "14 of 16 peers (Department)",
        "change": "unchanged",
        "recommendation": "keep",
        "recommendation_reason": "Most peers hold it.",
        "attention": 1 if person % 20 == 0 else 3,
        "original_reviewer": _email(number),
        "reviewer": _email(number),
    }


def _decision(number: int, person: int, place: int) -> dict[str, object]:
    item_id = _item_id(number, person, place)
    return {
        "decision_id": item_id,
        "item_id": item_id,
        "decision": "keep",
        "reviewer": _email(number),
        "method": "link",
        "is_bulk": 0,
        "decided_from": "127.0.0.1",
        "decided_at": _NOW,
        "recorded_at": _NOW,
        "action_id": item_id,
    }


def _email(number: int) -> str:
    return f"reviewer{number}@example.com"


def _card_id(number: int, person: int) -> str:
    return f"{number:016x}{person:016x}"


def _item_id(number: int, person: int, place: int) -> str:
    return f"{number:08x}{person:016x}{place:08x}"


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
