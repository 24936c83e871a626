"""Links and sessions of a store: who is let in, for how long, and that nothing on disk lets anyone in."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.review.store import LinkRefusedError, ReviewStore
from pipeline.review.store.sessions import IDLE
from tests.review.stores import ANN, BO, NOW, make_store
from tests.warehouse.conftest import models

__all__ = ["models"]

LATER = timedelta(days=1)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, models: list) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, models).close()
    return folder / "review.sqlite"


@pytest.fixture
def store(original: Path, tmp_path: Path) -> ReviewStore:
    path = tmp_path / "review.sqlite"
    path.write_bytes(original.read_bytes())
    return ReviewStore.open(path)


def link(store: ReviewStore, email: str = ANN, *, is_owner: bool = False, now: datetime = NOW) -> str:
    return store.issue_link(email, is_owner=is_owner, valid_days=14, now=now)


def reason(store: ReviewStore, token: str, now: datetime = NOW) -> str:
    """Return why a link is refused; that it is not even shown must have the same reason."""
    with pytest.raises(LinkRefusedError) as shown:
        store.check_link(token, now)
    with pytest.raises(LinkRefusedError) as redeemed:
        store.sign_in_by_link(token, now)
    assert shown.value.reason == redeemed.value.reason
    return redeemed.value.reason


def test_a_link_signs_its_reviewer_in_once(store: ReviewStore) -> None:
    token = link(store)
    for _ in range(3):  # mail scanners look at it first
        assert store.check_link(token, NOW).email == ANN

    session = store.sign_in_by_link(token, NOW)
    visitor = store.session(session.cookie, NOW)

    assert visitor is not None
    assert (visitor.email, visitor.is_reviewer, visitor.is_owner, visitor.method) == (ANN, True, False, "link")
    assert reason(store, token) == "used"


def test_an_owner_who_reviews_nothing_is_only_an_owner(store: ReviewStore) -> None:
    visitor = store.session(store.sign_in_by_link(link(store, "ciso@example.com", is_owner=True), NOW).cookie, NOW)
    assert visitor is not None
    assert (visitor.is_reviewer, visitor.is_owner) == (False, True)


def test_a_link_ends_with_its_last_day(store: ReviewStore) -> None:
    token = link(store)
    end = NOW + timedelta(days=14)
    assert store.check_link(token, end - timedelta(seconds=1)).expires_at == end
    assert reason(store, token, end) == "expired"


def test_a_newer_link_replaces_the_unused_ones_of_the_same_person(store: ReviewStore) -> None:
    used, other = link(store), link(store, BO)
    store.sign_in_by_link(used, NOW)
    first, second = link(store), link(store)

    assert [reason(store, used), reason(store, first)] == ["used", "replaced"]
    assert store.check_link(second, NOW).email == ANN
    assert store.check_link(other, NOW).email == BO


def test_a_closed_campaign_is_open_to_its_owners_only(store: ReviewStore) -> None:
    reviewer, owner = link(store), link(store, "ciso@example.com", is_owner=True)
    with store.writing() as connection:
        connection.execute("update campaign set closed_at = opened_at")
    assert reason(store, reviewer) == "closed"
    assert store.check_link(owner, NOW).is_owner


def test_every_altered_character_of_a_link_counts(store: ReviewStore) -> None:
    token, other = link(store), link(store, BO)
    for place in range(len(token)):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert reason(store, altered) == "invalid"
    for altered in ("", token[:-1], token + "A", token + "=", token + "\n", " " + token, token[:40] + other[40:]):
        assert reason(store, altered) == "invalid"
    assert store.check_link(token, NOW).email == ANN


def test_the_store_is_not_enough_to_make_a_link(store: ReviewStore, tmp_path: Path) -> None:
    """Not even what could be changed there, short of a key of one's own."""
    token, session = link(store), store.sign_in_by_link(link(store, BO), NOW)
    with store.writing() as connection:
        connection.execute("update links set email = ? where email = ?", (BO, ANN))
    assert reason(store, token) == "invalid"
    with store.writing() as connection:
        connection.execute("update links set email = ?, is_owner = 1 where redeemed_at is null", (ANN,))
    assert reason(store, token) == "invalid"

    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (token, session.cookie, token[-80:]):
        assert secret.encode() not in files


def test_a_link_of_one_campaign_opens_no_other(original: Path, store: ReviewStore) -> None:
    token = link(store)
    with store.writing() as connection:
        connection.execute("update campaign set name = 'Q2'")
    assert reason(store, token) == "invalid"


def test_of_two_requests_with_one_link_one_is_let_in(store: ReviewStore) -> None:
    token = link(store)

    def redeem(_: int) -> str:
        try:
            return store.sign_in_by_link(token, NOW).cookie
        except LinkRefusedError as error:
            return error.reason

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(redeem, range(16)))
    assert results.count("used") == 15


def test_a_session_survives_a_restart_and_ends_when_it_is_idle_or_over(store: ReviewStore) -> None:
    session = store.sign_in_by_link(link(store), NOW)
    store.close()
    again = ReviewStore.open(store.path)
    moment = NOW
    while moment + IDLE / 2 < session.expires_at:  # used every four hours
        moment += IDLE / 2
        assert again.session(session.cookie, moment) is not None
    assert again.session(session.cookie, session.expires_at) is None
    assert again.session(session.cookie, moment + IDLE) is None

    idle = again.sign_in_by_link(link(again, BO), NOW)
    assert again.session(idle.cookie, NOW + IDLE / 2, is_use=False) is not None  # a page that refreshes itself
    assert again.session(idle.cookie, NOW + IDLE - timedelta(seconds=1)) is not None
    assert again.session(idle.cookie, NOW + 2 * IDLE) is None


def test_signing_out_ends_one_session(store: ReviewStore) -> None:
    first, second = store.sign_in_by_link(link(store), NOW), store.sign_in_by_link(link(store), NOW)
    store.end_session(first.cookie, NOW)
    assert store.session(first.cookie, NOW) is None
    visitor = store.session(second.cookie, NOW)
    assert visitor is not None
    assert first.cookie != second.cookie
    for invented in ("", "x", second.cookie + "x", second.cookie.upper()):
        assert store.session(invented, NOW) is None


@pytest.mark.parametrize(
    ("email", "is_known"),
    [
        ("ANN@Example.com", True),
        (" ann@example.com", True),
        ("ann@example.com.evil.example", False),
        ("xann@example.com", False),
        ("ann\u212a@example.com", False),
        ("\u0430nn@example.com", False),  # a Cyrillic a
        ("anN\u0307@example.com", False),
        ("", False),
        ("%", False),
    ],
)
def test_a_verified_address_must_be_a_reviewers(store: ReviewStore, email: str, is_known: bool) -> None:
    session = store.sign_in_by_email(email, (), expires_at=NOW + LATER, now=NOW)
    assert (session is not None) == is_known
    if session is not None:
        visitor = store.session(session.cookie, NOW)
        assert visitor is not None
        assert (visitor.email, visitor.method) == (ANN, "oidc")


def test_an_owner_needs_no_items_to_sign_in(store: ReviewStore) -> None:
    session = store.sign_in_by_email("CISO@example.com", ("ciso@example.com",), expires_at=NOW + LATER, now=NOW)
    assert session is not None
    visitor = store.session(session.cookie, NOW)
    assert visitor is not None
    assert (visitor.is_owner, visitor.is_reviewer) == (True, False)


def test_a_sign_in_is_completed_once(store: ReviewStore) -> None:
    assert store.complete_sign_in("cookie", NOW)
    assert not store.complete_sign_in("cookie", NOW + timedelta(minutes=10))
    assert store.complete_sign_in("another", NOW)


def test_the_log_of_refusals_is_append_only(store: ReviewStore) -> None:
    store.record_refusal("link", "used, for ann@example.com", "192.0.2.1", NOW)
    store.record_refusal("csrf", "x" * 1000, "2001:db8::1", NOW + LATER)
    newest, oldest = store.refusals()
    assert (newest.kind, newest.address, len(newest.detail), newest.refused_at) == (
        "csrf", "2001:db8::1", 500, NOW + LATER
    )  # fmt: skip
    assert oldest.refused_at == NOW.astimezone(UTC)
    assert store.refusal_count() == 2
    with pytest.raises(sqlite3.IntegrityError, match="only added"), store.writing() as connection:
        connection.execute("delete from refusals")
