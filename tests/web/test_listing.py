"""What a card shows, and where a list begins: the arrangement of items, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.review.store import PersonCard, TargetRole
from pipeline.web.listing import Query, arrange
from tests.web.campaigns import REVIEWER, make_store


@pytest.fixture
def people(tmp_path: Path) -> tuple[PersonCard, ...]:
    with make_store(tmp_path / "review.sqlite", people=3, items=4) as store:
        return store.cards(REVIEWER)[0]


def test_a_finding_about_the_person_is_not_repeated_on_the_item(people: tuple[PersonCard, ...]) -> None:
    role = replace(people[0].items[0], findings=("Leaver still active", "Rare group"))
    [card] = arrange([replace(people[0], findings=("Leaver still active",), items=(role,))], REVIEWER)

    assert [entry.findings for entry in card.entries] == [("Rare group",)]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("Ada > role Viewer", []),
        ("Ada > group Sales", []),
        ("Ada > group Sales > role Viewer", ["through group Sales"]),
        ("Ada > group A > group B > role Viewer", ["through group A > group B"]),
        (None, []),
    ],
)
def test_only_indirect_access_says_how_it_is_held(
    people: tuple[PersonCard, ...], path: str | None, shown: list[str]
) -> None:
    [card] = arrange([replace(people[0], items=(replace(people[0].items[0], path=path),))], REVIEWER)

    [entry] = card.entries
    assert [fact for fact in entry.facts if fact.startswith("through")] == shown
    assert not any(">" in fact for fact in entry.facts if not fact.startswith("through"))


@pytest.mark.parametrize(
    ("name", "kind", "is_offered"),
    [("Admin", "role", True), ("Viewer", "role", False), ("Unranked", "role", False), ("Admin", "group", False)],
)
def test_reduce_is_offered_only_where_a_role_is_lower(
    people: tuple[PersonCard, ...], name: str, kind: str, *, is_offered: bool
) -> None:
    roles = [TargetRole("prod", "Viewer", 15), TargetRole("prod", "Admin", 90), TargetRole("prod", "Unranked", None)]
    item = replace(people[0].items[0], name=name, entitlement_type=kind)

    [card] = arrange([replace(people[0], items=(item,))], REVIEWER, roles)

    assert [entry.can_reduce for entry in card.entries] == [is_offered]


def test_the_sides_of_a_conflict_stand_in_a_block_of_their_own(people: tuple[PersonCard, ...]) -> None:
    blocks = arrange(people, REVIEWER)[1].blocks

    assert [(block.is_conflict, len(block.entries)) for block in blocks] == [(False, 1), (True, 2), (False, 1)]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "/"),
        ({"decision": "keep", "skip": "25"}, "/?decision=keep&skip=25"),
        ({"decision": "no such decision", "skip": "-1", "unknown": "x"}, "/"),
        ({"text": "Ä & b", "group": ""}, "/?text=%C3%84+%26+b"),
    ],
)
def test_an_address_holds_the_filter_and_nothing_else(given: dict[str, str], url: str) -> None:
    query = Query.read(given)

    assert query.url == url
    assert Query.read_encoded(query.encoded) == query
