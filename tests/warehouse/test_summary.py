"""The numbers of the first page, computed from source rows."""

from typing import Any

import pytest

from pipeline.warehouse.model import Model
from tests.rules import rule

LEAVER_ACTIVE = rule("Leaver still active")
NEW_PRIVILEGED_ACCOUNT = rule("New privileged account")
OVER_PRIVILEGED_VS_PEERS = rule("Role above peers")
SELF_REVIEW = rule("Access reviewed by its holder")
STALE_ACCOUNT = rule("Stale account")

FIRST = "20260101T000000Z-0001"
RULES = {LEAVER_ACTIVE, STALE_ACCOUNT, NEW_PRIVILEGED_ACCOUNT, OVER_PRIVILEGED_VS_PEERS, SELF_REVIEW}
ROSTER = "person_id,email,employment_status,end_date\np1,gone@example.com,ended,2025-12-31\n"


@pytest.fixture
def some_rules(house: Any, models: list[Model]) -> Any:
    house.models = [model for model in models if not model.is_rule or model.name in RULES]
    return house


def numbers(house: Any, section: str) -> dict[str, int]:
    return dict(house.rows(f"select key, value from reports.summary where section = '{section}'"))


def unevaluated(house: Any) -> dict[str, tuple[str, str]]:
    return {
        rule_id: (outcome, reason)
        for rule_id, outcome, reason in house.rows("select rule_id, outcome, reason from reports.unevaluated_rules")
    }


def test_a_rule_without_its_input_is_listed_with_the_reason(some_rules: Any, source: Any, make_user: Any) -> None:
    some_rules.build(some_rules.land(FIRST, {"prod": source([make_user("a")])}))

    assert unevaluated(some_rules) == {
        LEAVER_ACTIVE: ("not_evaluated", "no roster was given"),
        NEW_PRIVILEGED_ACCOUNT: ("not_evaluated", "there is no earlier snapshot to compare with"),
        OVER_PRIVILEGED_VS_PEERS: ("not_evaluated", "the data is missing from the extract"),
        SELF_REVIEW: ("not_evaluated", "there has been no review yet"),
    }
    assert "leavers_active" not in numbers(some_rules, "headline")


def test_a_disabled_rule_has_no_number(some_rules: Any, source: Any, make_user: Any) -> None:
    snapshot = some_rules.land(FIRST, {"prod": source([make_user("gone")])})

    some_rules.build(snapshot, roster=ROSTER)
    assert numbers(some_rules, "headline")["leavers_active"] == 1
    some_rules.build(snapshot, roster=ROSTER, overrides={LEAVER_ACTIVE: {"enabled": False}})

    assert "leavers_active" not in numbers(some_rules, "headline")
    assert unevaluated(some_rules)[LEAVER_ACTIVE] == ("off", "the configuration switches it off")


def test_last_seen_and_privileged_count_accounts_in_use(some_rules: Any, source: Any, make_user: Any) -> None:
    users = [
        make_user("a", roleId="r-admin"),
        make_user("b", roleId="r-admin", active=False),
        make_user("c", active=False, lastLogin="2024-01-01T00:00:00Z"),
    ]

    some_rules.build(some_rules.land(FIRST, {"prod": source(users)}))

    assert sum(numbers(some_rules, "last_seen").values()) == 1
    headline = numbers(some_rules, "headline")
    assert (headline["privileged"], headline["privileged_active"]) == (2, 1)


def test_numbers_of_days_match_the_dates_shown(some_rules: Any, source: Any, make_user: Any) -> None:
    users = [
        make_user("eve", lastLogin="2025-12-31T23:59:59Z"),
        make_user("limit", lastLogin="2025-10-03T00:00:00Z"),
        make_user("beyond", lastLogin="2025-10-02T00:00:00Z"),
    ]

    some_rules.build(some_rules.land(FIRST, {"prod": source(users)}))

    assert dict(some_rules.rows("select account_id, days_since_seen from reports.population")) == {
        "eve": 1,
        "limit": 90,
        "beyond": 91,
    }
    # The threshold is a moment: 90 days before as-of, a minute and a half past midnight.
    assert dict(
        some_rules.rows(f"select account_id, detail from findings.{STALE_ACCOUNT} where verdict = 'failed'")
    ) == {
        "limit": "Last seen 3 Oct 2025 00:00 UTC, more than 90 days before 1 Jan 2026 00:01 UTC.",
        "beyond": "Last seen 2 Oct 2025, 91 days ago.",
    }


def test_leavers_are_sorted_by_privilege_then_by_last_day(some_rules: Any, source: Any, make_user: Any) -> None:
    people = ["p1,long@example.com,ended,2025-06-30", "p2,short@example.com,ended,2025-12-30"]
    people += ["p3,admin@example.com,ended,2025-12-31"]
    users = [make_user("short"), make_user("long"), make_user("admin", roleId="r-admin")]

    some_rules.build(
        some_rules.land(FIRST, {"prod": source(users)}),
        roster="person_id,email,employment_status,end_date\n" + "\n".join(people) + "\n",
    )

    rows = some_rules.rows(
        f"select account_id, privileged, days_since_end from reports.finding_rows where rule_id = '{LEAVER_ACTIVE}'"
        " order by privileged desc, days_since_end desc"
    )
    assert rows == [("admin", True, 1), ("long", False, 185), ("short", False, 2)]
