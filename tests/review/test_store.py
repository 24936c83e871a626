"""The store of a campaign: what a reviewer sees and decides there, and what never gets lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.review import campaign as campaigns
from pipeline.review.answers import Answer
from pipeline.review.campaign import NewCampaign
from pipeline.review.store import (
    Actor,
    AnswerRefused,
    CardFilter,
    NothingToUndo,
    NotYourItem,
    ReviewStore,
)
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
ANN = Actor("ciso@example.com", "link", "127.0.0.1")


@pytest.fixture
def store(tmp_path: Path, models: list[Model]) -> ReviewStore:
    with database.writing(tmp_path / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, tmp_path, models)
        house.build(house.land("20260101T000000Z-0000", {"prod": Source([user("ann"), user("bob")])}))
        campaign = campaigns.open_campaign(connection, NewCampaign("Q1", reviewers=("ciso@example.com",)), NOW)
        return ReviewStore.make(connection, campaign, tmp_path / "review.sqlite")


def test_a_decision_holds_until_it_is_taken_back(store: ReviewStore) -> None:
    cards, total = store.cards(ANN.email)
    item = cards[0].items[0]

    store.decide(ANN, item.item_id, Answer("keep", "needed"), now=NOW)
    held = store.item(ANN.email, item.item_id)
    store.decide(ANN, item.item_id, Answer("remove", "left"), now=NOW)
    store.undo(ANN, now=NOW)
    again = store.item(ANN.email, item.item_id)
    store.undo(ANN, now=NOW)

    assert total == len(cards) == 2
    assert held is not None
    assert again is not None
    assert (held.answer, held.decided_by, held.method, held.decided_at) == (
        Answer("keep", "needed"), ANN.email, "link", NOW
    )  # fmt: skip
    assert again.answer == Answer("keep", "needed")
    assert store.progress(ANN.email).decided == 0
    assert [entry.decision for entry in store.latest_decisions()] == ["withdrawn", "keep", "remove", "keep"]
    with pytest.raises(NothingToUndo):
        store.undo(ANN, now=NOW)


def test_another_reviewers_item_and_a_wrong_answer_are_refused(store: ReviewStore) -> None:
    item = store.cards(ANN.email)[0][0].items[0]

    with pytest.raises(NotYourItem):
        store.decide(Actor("eve@example.com", "link"), item.item_id, Answer("keep"), now=NOW)
    with pytest.raises(AnswerRefused) as refused:
        store.decide(ANN, item.item_id, Answer("reduce", target_role="no such role"), now=NOW)

    assert [problem.field for problem in refused.value.problems if problem.field == "target_role"] == ["target_role"]
    assert store.item("eve@example.com", item.item_id) is None
    assert store.cards("eve@example.com") == ((), 0)


def test_cards_are_filtered_and_paged(store: ReviewStore) -> None:
    [first, second], _ = store.cards(ANN.email)
    store.decide(ANN, first.items[0].item_id, Answer("keep", "needed"), now=NOW)

    assert store.cards(ANN.email, offset=1)[0] == (second,)
    assert store.cards(ANN.email, CardFilter(text=f" {second.name.upper()} "))[0] == (second,)
    assert store.cards(ANN.email, CardFilter(decision="keep"))[1] == 1
    assert store.cards(ANN.email, CardFilter(department="None"), offset=5) == ((), 0)
    assert store.card(ANN.email, second.card_id) == second
