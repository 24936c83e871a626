"""The store of a campaign: what a reviewer sees and decides there, and what never gets lost."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.review import campaign as campaigns
from pipeline.review.answers import Answer, read_form
from pipeline.review.campaign import NewCampaign
from pipeline.review.store import (
    Actor,
    AnswerRefused,
    CardFilter,
    NothingToAccept,
    NothingToUndo,
    NotYourItem,
    ReassignmentRefused,
    ReviewStore,
)
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.builds import only
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
CISO = Actor("ciso@example.com", "link", "127.0.0.1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return the path of a store of three accounts, which no test changes."""
    folder = tmp_path_factory.mktemp("store")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        users = [user(name, email=f"{name}@example.com") for name in ("ann", "bob", "cleo")]
        house.build(house.land("20260101T000000Z-0000", {"prod": Source(users)}), models=only(models))
        campaign = campaigns.open_campaign(connection, NewCampaign("Q1", reviewers=("ciso@example.com",)), NOW)
        ReviewStore.make(connection, campaign, folder / "review.sqlite").close()
    return folder / "review.sqlite"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> ReviewStore:
    return ReviewStore.open(Path(shutil.copy(made, tmp_path)))


def test_a_decision_holds_until_it_is_taken_back(store: ReviewStore) -> None:
    cards, total = store.cards(CISO.email)
    item = cards[0].items[0]

    store.decide(CISO, item.item_id, Answer("keep", "needed"), now=NOW)
    held = store.item(CISO.email, item.item_id)
    store.decide(CISO, item.item_id, Answer("remove", "left"), now=NOW)
    store.undo(CISO, now=NOW)
    again = store.item(CISO.email, item.item_id)
    store.undo(CISO, now=NOW)

    assert total == len(cards) == 3
    assert held is not None
    assert again is not None
    assert (held.answer, held.decided_by, held.method, held.decided_at) == (
        Answer("keep", "needed"), CISO.email, "link", NOW
    )  # fmt: skip
    assert again.answer == Answer("keep", "needed")
    assert store.progress(CISO.email).decided == 0
    assert [entry.decision for entry in store.latest_decisions()] == ["withdrawn", "keep", "remove", "keep"]
    with pytest.raises(NothingToUndo):
        store.undo(CISO, now=NOW)


def test_what_a_browser_sends_twice_happens_once(store: ReviewStore) -> None:
    [first, second, *_] = [card.items[0].item_id for card in store.cards(CISO.email)[0]]
    other = Actor(CISO.email, "oidc")

    once = [store.decide(CISO, item, Answer("keep", "needed"), now=NOW) for item in (first, second)]
    assert store.decide(CISO, second, Answer("keep", "needed"), now=NOW) == once[1]
    step = store.last_step(CISO.email)
    assert step is not None
    store.undo(CISO, step_id=step.step_id, now=NOW)
    with pytest.raises(NothingToUndo, match="already"):
        store.undo(CISO, step_id=step.step_id, now=NOW)

    assert store.progress(CISO.email).decided == 1
    assert len(store.latest_decisions()) == 3
    changed = [store.decide(actor, first, answer, now=NOW) for actor, answer in (
        (other, Answer("keep", "needed")), (other, Answer("keep", "needed indeed")),
    )]  # fmt: skip
    assert len({decision.decision_id for decision in [*once, *changed]}) == 4


def test_another_reviewers_item_and_a_wrong_answer_are_refused(store: ReviewStore) -> None:
    item = store.cards(CISO.email)[0][0].items[0]

    with pytest.raises(NotYourItem):
        store.decide(Actor("eve@example.com", "link"), item.item_id, Answer("keep"), now=NOW)
    with pytest.raises(AnswerRefused) as refused:
        store.decide(CISO, item.item_id, Answer("reduce", target_role="no such role"), now=NOW)

    assert "no role is lower than Viewer: choose another decision" in str(refused.value)
    assert store.item("eve@example.com", item.item_id) is None
    assert store.cards("eve@example.com") == ((), 0)


def test_reasons_lose_what_cannot_be_seen_and_are_limited(store: ReviewStore) -> None:
    [first, *_], _ = store.cards(CISO.email)
    typed = {"decision": "keep", "reason": "ne\x00eded\u202e by \u2066law\r\ntoday\x1b "}

    answer, problems = read_form(typed)

    assert (answer, problems) == (Answer("keep", "needed by law\ntoday"), ())
    with pytest.raises(AnswerRefused, match="at most 1,000 characters"):
        store.decide(CISO, first.items[0].item_id, Answer("keep", "x" * 1001), now=NOW)
    with pytest.raises(ReassignmentRefused, match="at most 1,000 characters"):
        store.reassign(None, CISO.email, "it@example.com", "x" * 1001, "owner@example.com", now=NOW)
    store.reassign(None, CISO.email, "it@example.com", "on\u202e leave", "owner@example.com", now=NOW)
    [row] = store.rows("reassignments")[:1]
    assert row["reason"] == "on leave"


def test_cards_are_filtered_and_paged(store: ReviewStore) -> None:
    [first, second, third], _ = store.cards(CISO.email)
    store.decide(CISO, first.items[0].item_id, Answer("keep", "needed"), now=NOW)

    assert store.cards(CISO.email, offset=1) == ((second, third), 3)
    assert store.cards(CISO.email, offset=3) == ((), 3)
    assert store.cards(CISO.email, CardFilter(text=f" {second.name.upper()} "))[0] == (second,)
    assert store.cards(CISO.email, CardFilter(decision="keep"))[1] == 1
    assert store.cards(CISO.email, CardFilter(department="None"), offset=5) == ((), 0)
    assert store.card(CISO.email, second.card_id) == second


def test_items_are_handed_over_but_never_to_their_holder(store: ReviewStore) -> None:
    [first, second, _], _ = store.cards(CISO.email)
    items = [item.item_id for item in first.items]
    store.decide(CISO, second.items[0].item_id, Answer("keep", "needed"), now=NOW)

    with pytest.raises(ReassignmentRefused, match="holds this access"):
        store.reassign(None, CISO.email, first.email or "", "on leave", "owner@example.com", now=NOW)
    moved = store.reassign(items, CISO.email, "New <IT@Example.com>", "on leave", "owner@example.com", now=NOW)
    rest = store.reassign(None, CISO.email, "it@example.com", "on leave", "owner@example.com", now=NOW)

    assert moved == len(items)
    [handed] = [card for card in store.cards("it@example.com")[0] if card.card_id == first.card_id]
    assert {item.original_reviewer_email for item in handed.items} == {CISO.email}
    assert store.item(CISO.email, items[0]) is None
    assert (store.progress(CISO.email).pending, store.progress("it@example.com").pending) == (0, moved + rest)
    with pytest.raises(NotYourItem):
        store.decide(CISO, items[0], Answer("keep", "needed"), now=NOW)
    with pytest.raises(NotYourItem):
        store.reassign(items, CISO.email, "hr@example.com", "again", "owner@example.com", now=NOW)


def test_a_mail_is_begun_once_for_one_reason_unless_it_failed(store: ReviewStore) -> None:
    first = store.begin_mail("reminder", "2026-01-10", CISO.email, "Please decide", now=NOW)
    assert first is not None
    store.finish_mail(first, "failed", "550 no such user", now=NOW)
    second = store.begin_mail("reminder", "2026-01-10", CISO.email, "Please decide", now=NOW)
    third = store.begin_mail("reminder", "2026-01-10", CISO.email, "Please decide", now=NOW)

    assert (second is None, third) == (False, None)
    assert sorted((mail.delivery, mail.detail) for mail in store.mails()) == [
        ("failed", "550 no such user"),
        ("sending", None),
    ]


def test_recommendations_are_accepted_in_one_step_and_taken_back_in_one(store: ReviewStore) -> None:
    with store.writing() as connection:  # a campaign in which peers have the same access
        connection.execute("update items set recommendation = 'keep', risk = 'low'")
    [first, second, _], _ = store.cards(CISO.email)
    with store.writing() as connection:
        connection.execute("update items set risk = 'high' where card_id = $card", {"card": second.card_id})

    count = store.accept_recommendations(CISO, first.card_id, now=NOW)
    kept = store.card(CISO.email, first.card_id)
    with pytest.raises(NothingToAccept):  # high risk needs a reason
        store.accept_recommendations(CISO, second.card_id, now=NOW)
    with pytest.raises(NotYourItem):
        store.accept_recommendations(Actor("eve@example.com", "link"), first.card_id, now=NOW)
    undone = store.undo(CISO, now=NOW)

    assert kept is not None
    assert first.can_accept == count == len(first.items) == len(undone)
    assert {(item.answer, item.is_bulk, item.decided_at) for item in kept.items} == {(Answer("keep"), True, NOW)}
    assert store.progress(CISO.email).decided == 0


def test_decisions_are_only_added(store: ReviewStore) -> None:
    store.decide(CISO, store.cards(CISO.email)[0][0].items[0].item_id, Answer("keep", "needed"), now=NOW)

    for change in ("update decisions set decision = 'remove'", "delete from decisions"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"), store.writing() as connection:
            connection.execute(change)
    assert [entry.decision for entry in store.latest_decisions()] == ["keep"]
