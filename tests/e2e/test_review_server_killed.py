"""Twenty reviewers decide at once while the server is killed again and again; then the campaign is signed off."""

from __future__ import annotations

import csv
import json
import random
import shutil
import sqlite3
import threading
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.review.service import ReviewService
from pipeline.review.store import ReviewStore
from pipeline.review.store.sessions import csrf_token
from pipeline.settings import load_settings
from tests.e2e.program import run_command
from tests.e2e.remediating import Case, Prepared
from tests.e2e.reviewing import LATER, NAME, SIGNATURE, rows_of
from tests.e2e.serving import ServedReview, free_port
from tests.search import is_deep

CISO = "ciso@example.com"
REVIEWERS = [f"reviewer{number:02}@example.com" for number in range(20)]
#: Each takes its turn at these, so that most items get another answer than before. All are allowed for high risk.
ANSWERS = (
    {"decision": "keep", "reason": "needed"},
    {"decision": "remove", "reason": "left the team"},
    {"decision": "defer", "defer_until": LATER, "reason": "ask again"},
    {"decision": "exception", "approver": CISO, "expires_on": LATER, "reason": "agreed"},
)
#: How a decision was made, which differs between the page and a file, and what is random.
WAYS = {"decided_at", "imported_at", "method", "is_bulk", "decided_from"}
KILLS = 30 if is_deep() else 4


@pytest.fixture(scope="module")
def campaign(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an open campaign whose items twenty reviewers share."""
    case = Case(prepared, tmp_path_factory.mktemp("shared"), ())
    case.take_build()
    case.ok("report", "--format", "csv")
    opened = case.ok("--json", "review", "open", "--name", NAME, "--reviewer", CISO, "--scope", "privileged").result
    with ReviewService(load_settings(case.folder / "access-review.toml"), {}).prepare_page(NAME) as store:
        for manager in {each["reviewer_email"] for each in opened["reviewers"]} - {CISO}:
            store.reassign(None, manager, CISO, "shared out", CISO, now=datetime.now(UTC))
        cards, _ = store.cards(CISO, limit=1000)
        items = [item.item_id for card in cards for item in card.items]
        for number, reviewer in enumerate(REVIEWERS):
            own = items[number :: len(REVIEWERS)]
            store.reassign(own, CISO, reviewer, "shared out", CISO, now=datetime.now(UTC))
    case.ok("review", "import")
    return case.folder


def store_path(folder: Path) -> Path:
    return folder / "out" / "campaigns" / NAME / "review.sqlite"


class BusyReviewer:
    """A browser that decides all items of one reviewer, over and over, and repeats what was not confirmed."""

    def __init__(self, url: str, cookie: str, email: str, items: list[tuple[str, str]]) -> None:
        self.email, self._items = email, items
        self._session = cookie
        self._client = httpx.Client(base_url=url, timeout=20)
        self._wants_json = REVIEWERS.index(email) % 2 == 0
        #: What the server has confirmed, in this order, by item.
        self.confirmed: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.problem: BaseException | None = None

    def work(self, name: str, stop: threading.Event) -> None:
        """Decide until told to stop, and then until every item has its last answer."""
        try:
            for turn in range(10_000):
                for place, (card_id, item_id) in enumerate(self._items):
                    answer = ANSWERS[(turn + place) % len(ANSWERS)]
                    self._decide(name, card_id, item_id, answer)
                    self.confirmed[item_id].append(answer)
                if stop.is_set():
                    return
        except BaseException as error:
            self.problem = error
        finally:
            self._client.close()

    def _decide(self, cookie_name: str, card_id: str, item_id: str, answer: dict[str, str]) -> None:
        fields = {
            "csrf": csrf_token(self._session),
            "card_id": card_id,
            "item_id": item_id,
            "answered": "1",
            **answer,
        }
        headers = {"Cookie": f"{cookie_name}={self._session}"}
        headers["Accept"] = "application/json" if self._wants_json else "text/html"
        for _ in range(2_000):
            try:
                reply = self._client.post("/decide", data=fields, headers=headers)
            except httpx.TransportError:  # killed; perhaps it had saved the decision, perhaps not
                time.sleep(0.2)
                continue
            assert reply.status_code == (200 if self._wants_json else 303), reply.text[:500]
            assert not self._wants_json or reply.json()["is_saved"]
            return
        raise TimeoutError("the server does not come back")


@pytest.mark.search
def test_no_confirmed_decision_is_lost_or_doubled_and_the_sealed_folder_is_that_of_a_file(
    campaign: Path, tmp_path: Path
) -> None:
    online, by_file = tmp_path / "online", tmp_path / "by-file"
    shutil.copytree(campaign, online)
    shutil.copytree(campaign, by_file)
    seed = random.randrange(10**6) if is_deep() else 7
    print(f"seed {seed}")

    reviewers = decide_under_fire(online, random.Random(seed))

    # each decision is there once, in the order in which it was made
    expected = {item_id: answers for each in reviewers for item_id, answers in each.confirmed.items()}
    assert stored(online) == expected
    assert sum(map(len, expected.values())) > KILLS

    # the sealed decisions are those of a file with the last answers
    final = {item_id: answers[-1] for item_id, answers in expected.items()}
    folders = [sealed(online), sealed(by_file, returned(by_file, final))]
    [page, file] = [{row["item_id"]: row for row in rows_of(folder / "decisions.csv")} for folder in folders]
    assert {name: without_ways(row) for name, row in page.items()} == {
        name: without_ways(row) for name, row in file.items()
    }
    assert {row["method"] for row in page.values() if row["decision"]} == {"link"}
    assert {row["method"] for row in file.values() if row["decision"]} == {"file"}
    assert {row["item_id"] for row in page.values() if row["decision"]} == set(expected)


def decide_under_fire(folder: Path, chance: random.Random) -> list[BusyReviewer]:
    """Let everyone decide while the server is killed and restarted; nobody signs in again."""
    stop = threading.Event()
    with ReviewStore.open(store_path(folder)) as store, ServedReview(folder, free_port(), "--name", NAME) as server:
        now = datetime.now(UTC)
        browsers = []
        for email in REVIEWERS:
            items = [(card.card_id, item.item_id) for card in store.cards(email)[0] for item in card.items]
            link = store.issue_link(email, valid_days=1, now=now)
            answer = httpx.post(f"{server.url}/link", data={"token": link})
            [(name, cookie)] = answer.cookies.items()
            browsers.append(BusyReviewer(server.url, cookie, email, items))
        threads = [threading.Thread(target=each.work, args=(name, stop), daemon=True) for each in browsers]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            wait_for_work(browsers)
            time.sleep(chance.random() * 0.4)
            server.kill()
            check_confirmed(folder, browsers)
            server.start()
        stop.set()
        for thread in threads:
            thread.join(120)
    for each in browsers:
        if each.problem is not None:
            raise each.problem
    return browsers


def wait_for_work(browsers: list[BusyReviewer]) -> None:
    """Return when the restarted server has confirmed something."""
    before = confirmations(browsers)
    deadline = time.monotonic() + 60
    while confirmations(browsers) == before:
        assert time.monotonic() < deadline, "no decision is confirmed any more"
        time.sleep(0.005)


def confirmations(browsers: list[BusyReviewer]) -> int:
    return sum(len(answers) for each in browsers for answers in list(each.confirmed.values()))


def check_confirmed(folder: Path, browsers: list[BusyReviewer]) -> None:
    """While no server runs: everything that was confirmed is on the disk, and at most one decision more an item."""
    found = stored(folder)
    for each in browsers:
        for item_id, answers in list(each.confirmed.items()):
            kept = list(answers)
            assert found[item_id][: len(kept)] == kept
            assert len(found[item_id]) <= len(kept) + 1


def stored(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return all decisions in the store by item, in their order."""
    names = ("decision", "reason", "defer_until", "approver", "expires_on")
    found = defaultdict(list)
    with closing(sqlite3.connect(store_path(folder))) as connection:
        for item_id, *values in connection.execute(
            f"select item_id, {', '.join(names)} from decisions order by sequence"
        ):
            answer = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            found[item_id].append(answer)
    return dict(found)


def returned(folder: Path, final: dict[str, dict[str, str]]) -> list[Path]:
    """Write the file that each reviewer returns."""
    with ReviewStore.open(store_path(folder)) as store:
        owned = {
            email: [item.item_id for card in store.cards(email)[0] for item in card.items] for email in REVIEWERS
        }
    names = ["item_id", "reviewer", "decision", "reason", "defer_until", "approver", "expires_on"]
    paths = []
    for email, items in owned.items():
        paths.append(folder / f"{email}.csv")
        with paths[-1].open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows({"item_id": item_id, "reviewer": email, **final[item_id]} for item_id in items)
    return paths


def sealed(folder: Path, files: list[Path] | None = None) -> Path:
    """Import what was decided, sign off, verify; return the sealed folder."""
    for arguments in (("review", "import", *map(str, files or [])), ("review", "sign-off", *SIGNATURE)):
        outcome = run_command(folder, *arguments)
        assert outcome.code == 0, outcome.stderr
    found = Path(outcome.stdout.splitlines()[0]).parent
    verified = run_command(folder, "--json", "verify", str(folder / found))
    assert json.loads(verified.stdout)["ok"] is True
    return folder / found


def without_ways(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in WAYS}
