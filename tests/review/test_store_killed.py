"""Processes that are killed while they decide, or while they make the store: what was confirmed is there, once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import UsageError, WarehouseError
from pipeline.review import campaign as campaigns
from pipeline.review import syncing
from pipeline.review.campaign import NewCampaign
from pipeline.review.store import ReviewStore
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.builds import only
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
REVIEWERS = ("ann@example.com", "bob@example.com", "ciso@example.com")
ROUNDS = 4


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return a folder with a database and a store whose items three reviewers share."""
    folder = tmp_path_factory.mktemp("killed")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(
            house.land("20260101T000000Z-0000", {"prod": Source([user(f"p{n}") for n in range(6)])}),
            models=only(models),
        )
        campaign = campaigns.open_campaign(connection, NewCampaign("Q1", reviewers=REVIEWERS[-1:]), NOW)
        with ReviewStore.make(connection, campaign, folder / "review.sqlite") as store:
            items = [item.item_id for card in store.cards(REVIEWERS[-1])[0] for item in card.items]
            for number, reviewer in enumerate(REVIEWERS[:-1]):
                store.reassign(
                    items[2 * number : 2 * number + 2], REVIEWERS[-1], reviewer, "shared", "owner", now=NOW
                )
    return folder


def decide_until_killed(path: Path, seconds: float) -> list[list[str]]:
    """Let a process for each reviewer decide, kill all at one moment, and return what they said was confirmed."""
    programs = [
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("deciding_program.py"), path, reviewer],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for reviewer in REVIEWERS
    ]  # fmt: skip
    first = [program.stdout.readline() for program in programs if program.stdout]
    time.sleep(seconds)
    for program in programs:
        program.send_signal(signal.SIGKILL)
    said = [*first, *(line for program in programs for line in program.communicate()[0].splitlines(keepends=True))]
    return [line.split(maxsplit=2) for line in said if line.endswith("\n")]


def test_confirmed_decisions_survive_kill_9_and_none_is_there_twice(opened: Path, tmp_path: Path) -> None:
    seconds = random.Random(7)
    for path in opened.glob("*.*"):
        shutil.copy(path, tmp_path)
    store_path, confirmed = tmp_path / "review.sqlite", []
    for _ in range(ROUNDS):
        confirmed += decide_until_killed(store_path, seconds.uniform(0.01, 0.2))

    with ReviewStore.open(store_path) as store:
        with database.writing(tmp_path / "access-review.duckdb", notify=lambda _: None) as connection:
            first = syncing.bring_in(connection, "Q1", store, NOW)
            second = syncing.bring_in(connection, "Q1", store, NOW)
            brought = connection.execute("select decision_id, item_id, reason from review.decisions").fetchall()
        stored = store.latest_decisions(limit=1_000_000)

    by_id = {entry.decision_id: entry for entry in stored}
    assert len(confirmed) >= ROUNDS * len(REVIEWERS)
    assert len(by_id) == len(stored)
    assert [(by_id[id_].item_id, by_id[id_].reason) for id_, _, _ in confirmed] == [
        (item, reason.strip()) for _, item, reason in confirmed
    ]
    # At most the one that each process was storing is there without having been confirmed.
    assert len(stored) - len(confirmed) <= ROUNDS * len(REVIEWERS)
    assert (first.decisions, second.decisions) == (len(stored), 0)
    assert sorted(brought) == sorted((entry.decision_id, entry.item_id, entry.reason) for entry in stored)


def test_a_killed_creation_leaves_no_store_and_the_next_one_is_whole(opened: Path, tmp_path: Path) -> None:
    path = tmp_path / "campaigns" / "Q1" / "review.sqlite"
    program = f"""
import os
from pathlib import Path
from pipeline.review import campaign as campaigns
from pipeline.review.store import ReviewStore, creation
from pipeline.warehouse import database
insert = creation._insert
def killed(store, table, rows):
    insert(store, table, rows)
    if table == "items":
        os.kill(os.getpid(), 9)
creation._insert = killed
with database.reading(Path({str(opened / "access-review.duckdb")!r}), notify=print) as connection:
    ReviewStore.make(connection, campaigns.find(connection, "Q1"), Path({str(path)!r}))
"""
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    with pytest.raises(UsageError, match="has not been prepared"):
        ReviewStore.open(path)
    with database.reading(opened / "access-review.duckdb", notify=pytest.fail) as connection:
        ReviewStore.make(connection, campaigns.find(connection, "Q1"), path).close()

    assert run.returncode == -signal.SIGKILL
    with ReviewStore.open(path) as store:
        assert store.progress(REVIEWERS[-1]).items == 6
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".partial"] == []


def test_a_store_of_another_version_and_a_file_that_is_none_are_refused(opened: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copy(opened / "review.sqlite", tmp_path))
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("pragma user_version = 99")
    other = tmp_path / "other.sqlite"
    other.write_text("not a database, but long enough to look like one " * 30, encoding="utf-8")

    with pytest.raises(WarehouseError, match="has version 99, this program reads version"):
        ReviewStore.open(newer)
    with pytest.raises(WarehouseError, match="file is not a database"):
        ReviewStore.open(other)
