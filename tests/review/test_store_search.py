"""Random interleavings of what reviewers, owners and imports do: the store, the database and a simple model agree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review import campaign as campaigns
from pipeline.review import syncing
from pipeline.review.answers import Answer
from pipeline.review.campaign import NewCampaign
from pipeline.review.store import Actor, NothingToUndo, NotYourItem, ReviewStore, StoreRefusal, file_decision
from pipeline.review.store.connections import statement
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from tests.search import looking_for
from tests.warehouse.builds import only
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
REVIEWERS = ("ciso@example.com", "it@example.com")
ANSWERS = (Answer("keep", "needed"), Answer("remove", "left"), Answer("reduce", "too much", "Viewer"))


@dataclass
class Step:
    """An answer that was given. ``is_page``: it can be taken back."""

    reviewer: str
    item: str
    answer: Answer
    is_page: bool
    is_undone: bool = False


@dataclass
class Expected:
    """What should hold: who reviews an item, and the steps in their order."""

    reviewers: dict[str, str]
    steps: list[Step] = field(default_factory=list)

    def last(self, item: str) -> Step | None:
        return next((step for step in reversed(self.steps) if step.item == item and not step.is_undone), None)

    def decide(self, reviewer: str, item: str, answer: Answer) -> None:
        newest = next((step for step in reversed(self.steps) if step.item == item), None)
        step = Step(reviewer, item, answer, is_page=True)
        if newest != step:  # the same once more changes nothing
            self.steps.append(step)

    def undo(self, reviewer: str) -> bool:
        for step in reversed(self.steps):
            is_theirs = step.is_page and step.reviewer == reviewer == self.reviewers[step.item]
            if is_theirs and self.last(step.item) is step:
                step.is_undone = True
                return True
        return False

    def held(self) -> dict[str, Answer | None]:
        return {item: last.answer if (last := self.last(item)) else None for item in self.reviewers}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    folder = tmp_path_factory.mktemp("search")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(
            house.land(
                "20260101T000000Z-0000",
                {"prod": Source([user(name, roleId="r-admin") for name in ("ann", "bob", "cleo")])},
            ),
            models=only(models),
        )
        campaign = campaigns.open_campaign(connection, NewCampaign("Q1", reviewers=REVIEWERS[:1]), NOW)
        ReviewStore.make(connection, campaign, folder / "review.sqlite").close()
    return folder


@contextmanager
def copied(folder: Path) -> Iterator[tuple[ReviewStore, Connection]]:
    with TemporaryDirectory() as copy:
        for path in folder.glob("*.*"):
            shutil.copy(path, copy)
        with (
            ReviewStore.open(Path(copy) / "review.sqlite") as store,
            database.writing(Path(copy) / "access-review.duckdb", notify=lambda _: None) as connection,
        ):
            yield store, connection


def import_answer(store: ReviewStore, connection: Connection, item: str, answer: Answer, reviewer: str) -> None:
    """Do what the import of a file with one row does."""
    with database.transaction(connection), syncing.synchronized(connection, "Q1", store, NOW) as (held, _):
        row = file_decision(item, answer, reviewer, ("f.csv", "x"), NOW)
        assert held is not None
        held.execute(statement("decide"), row)
        syncing.add_decisions(connection, "Q1", [{**row, "sequence": 1}], NOW)


NUMBERS = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from(REVIEWERS), NUMBERS, st.sampled_from(ANSWERS)),
        st.tuples(st.just("undo"), st.sampled_from(REVIEWERS), NUMBERS, st.none()),
        st.tuples(st.just("reassign"), st.sampled_from(REVIEWERS), NUMBERS, st.none()),
        st.tuples(st.just("file"), st.sampled_from(REVIEWERS), NUMBERS, st.sampled_from(ANSWERS)),
        st.tuples(st.just("bring in"), st.sampled_from(REVIEWERS), NUMBERS, st.none()),
    ),
    max_size=25,
)


@pytest.mark.search
@looking_for(quick=4, deep=400, deadline=None)
@given(steps=STEPS)
def test_store_and_database_hold_what_people_decided(opened: Path, steps: list[tuple]) -> None:
    with copied(opened) as (store, connection):
        items = [item.item_id for card in store.cards(REVIEWERS[0])[0] for item in card.items]
        expected = Expected(dict.fromkeys(items, REVIEWERS[0]))
        for number, (kind, reviewer, index, answer) in enumerate(steps):
            take(store, connection, expected, (kind, reviewer, items[index], answer, NOW + timedelta(seconds=number)))
        found = {item: store.item(expected.reviewers[item], item) for item in items}
        syncing.bring_in(connection, "Q1", store, NOW)
        again = syncing.bring_in(connection, "Q1", store, NOW)
        rows = connection.execute(
            "select item_id, reviewer_email, decision, reason, target_role from review.assigned_items('Q1')"
        ).fetchall()

    assert {item: card and card.answer for item, card in found.items()} == expected.held()
    assert (again.decisions, again.reassigned) == (0, 0)
    assert {row[0]: row[1] for row in rows} == expected.reviewers
    assert {row[0]: Answer(*row[2:]) if row[2] else None for row in rows} == expected.held()


def take(
    store: ReviewStore, connection: Connection, expected: Expected, step: tuple[str, str, str, Answer, datetime]
) -> None:
    kind, reviewer, item, answer, now = step
    is_theirs = expected.reviewers[item] == reviewer
    actor = Actor(reviewer, "link")
    if kind == "decide" and is_theirs:
        store.decide(actor, item, answer, now=now)
        expected.decide(reviewer, item, answer)
    elif kind == "decide":
        with pytest.raises(NotYourItem):
            store.decide(actor, item, answer, now=now)
    elif kind == "undo" and expected.undo(reviewer):
        store.undo(actor, now=now)
    elif kind == "undo":
        with pytest.raises(NothingToUndo):
            store.undo(actor, now=now)
    elif kind == "reassign" and not is_theirs:
        store.reassign([item], expected.reviewers[item], reviewer, "on leave", "owner@example.com", now=now)
        expected.reviewers[item] = reviewer
    elif kind == "reassign":
        with pytest.raises(StoreRefusal):
            store.reassign([item], reviewer, reviewer, "on leave", "owner@example.com", now=now)
    elif kind == "file":
        import_answer(store, connection, item, answer, expected.reviewers[item])
        expected.steps.append(Step(expected.reviewers[item], item, answer, is_page=False))
    else:
        syncing.bring_in(connection, "Q1", store, now)
