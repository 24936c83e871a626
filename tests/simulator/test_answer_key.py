"""Every test of the rules rests on the answer key, so it is compared with what a reviewer finds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.population import Population, build
from tests.simulator.reviewer import ABOUT_PEERS, Finding, Reviewer

ANCHOR = datetime(2026, 3, 1, tzinfo=UTC)


def key_of(population: Population) -> Counter[Finding]:
    return Counter(
        (rule_id, item.severity, item.account_id, item.subject)
        for rule_id, items in population.planted.items()
        for item in items
    )


@pytest.mark.parametrize(
    ("accounts", "seed"),
    [
        (20, 1),
        (21, 7),
        (36, 2),
        (57, 3),
        (73, 5),
        (99, 4),
        (100, 1),
        (117, 2),
        (499, 3),
        (500, 4),
        (500, 5),
        (801, 6),
        (2_000, 7),
    ],
)
@pytest.mark.parametrize("hours", [-23, 0, 47])
def test_the_answer_key_is_exactly_what_the_rules_find(accounts: int, seed: int, hours: int) -> None:
    population = build(accounts, seed, ANCHOR)

    found = Reviewer(population, ANCHOR + timedelta(hours=hours)).findings()

    key = {finding for finding in key_of(population) if finding[0] not in ABOUT_PEERS}
    assert found == key


@pytest.mark.parametrize(("accounts", "seed"), [(500, 4), (500, 5), (640, 8), (2_000, 7)])
def test_the_answer_key_contains_findings_about_peers(accounts: int, seed: int) -> None:
    population = build(accounts, seed, ANCHOR)

    found = Reviewer(population, ANCHOR).peer_findings()

    assert found == {finding for finding in key_of(population) if finding[0] in ABOUT_PEERS}


def test_no_finding_is_planted_twice() -> None:
    key = key_of(build(2_000, 7, ANCHOR))

    assert [finding for finding, times in key.items() if times > 1] == []


def test_every_rule_of_the_answer_key_is_planted() -> None:
    planted = set(build(500, 4, ANCHOR).planted)

    assert planted == set(PlantedRule) - {PlantedRule.TOO_MANY_ADMINS, PlantedRule.TOO_FEW_ADMINS}


def test_too_many_administrators_depends_on_the_size() -> None:
    assert [item.severity for item in build(100, 7, ANCHOR).planted[PlantedRule.TOO_MANY_ADMINS]] == ["medium"]
    assert PlantedRule.TOO_MANY_ADMINS not in build(2_000, 7, ANCHOR).planted


def test_the_smallest_organisations_have_findings() -> None:
    planted = set(build(20, 7, ANCHOR).planted)

    assert planted >= {
        PlantedRule.CONTRACT_EXPIRED,
        PlantedRule.EDITED_BUILTIN_ROLE,
        PlantedRule.LEAVER_ACTIVE,
        PlantedRule.ORPHANED_ACCOUNT,
    }


@pytest.mark.parametrize("accounts", [20, 100, 2_000])
def test_login_states_and_statuses_are_counted_as_the_contract_defines_them(accounts: int) -> None:
    population = build(accounts, 7, ANCHOR)
    judge = Reviewer(population, ANCHOR)

    assert Counter(judge.last_seen(user)[0] for user in population.users) == population.login_states
    assert +Counter(judge.status(user) for user in population.users) == +Counter(population.statuses)
