"""Exceptions and accounts out of scope: whom they mean, how long they hold, and what the report still shows."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.builds import EXCEPTIONS, FIRST, OUT_OF_SCOPE, named, only, swapped

EMPTY_GROUP = rule("Empty group")
EXCEPTION_EXPIRED = rule("Expired exception")
NEVER_LOGGED_IN = rule("Account never used")
ORPHANED_ACCOUNT = rule("Orphaned account")
STALE_ACCOUNT = rule("Stale account")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"{STALE_ACCOUNT},,old,r,b@x.test,2026-01-01", "accepted_risk"),
        (f"{STALE_ACCOUNT},prod,OLD@example.com,r,b@x.test,2026-01-01", "accepted_risk"),
        (f"{STALE_ACCOUNT},,old,r,b@x.test,2025-12-31", "open"),
        (f"{STALE_ACCOUNT},other,old,r,b@x.test,2027-01-01", "open"),
        (f"{NEVER_LOGGED_IN},,old,r,b@x.test,2027-01-01", "open"),
        (f"{STALE_ACCOUNT},,ann,r,b@x.test,2027-01-01", "open"),
    ],
    ids=["its last day", "by e-mail and source", "expired", "other source", "other rule", "other subject"],
)
def test_an_exception_holds_through_its_last_day_for_its_rule_and_subject(
    house: Any, source: Any, people: Any, line: str, status: str
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})

    house.build(snapshot, as_of=datetime(2026, 1, 1, 23, 59, 59), policy={"exceptions.csv": EXCEPTIONS + line + "\n"},  # noqa: DTZ001
                models=only(house.models, STALE_ACCOUNT, NEVER_LOGGED_IN))  # fmt: skip

    assert house.rows(f"select status from findings.register where rule_id = '{STALE_ACCOUNT}'") == [(status,)]
    assert house.rows(f"select failed from reports.rule_summary where rule_id = '{STALE_ACCOUNT}'") == [(1,)]
    open_ones = house.rows("select finding_count, risk_score > 0 from reports.population where account_id = 'old'")
    assert open_ones == [(1, True) if status == "open" else (0, False)]


def test_an_account_out_of_scope_stays_in_the_population_with_the_reason(
    house: Any, source: Any, people: Any
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    lines = OUT_OF_SCOPE + ',boss@example.com,"Known, kept",b@x.test\n'

    built = house.build(snapshot, policy={"out_of_scope.csv": lines})

    assert built.warnings == house.build(snapshot, policy={"out_of_scope.csv": lines}).warnings
    assert house.rows("select account_id, exclusion_reason from reports.population where not in_scope") == [
        ("boss", "Known, kept (approved by b@x.test)")
    ]
    assert house.rows("select distinct status from findings.register where account_id = 'boss'") == [
        ("out_of_scope",)
    ]
    assert house.rows(
        "select label, value from reports.summary where key in ('in_scope', 'excluded') order by 1"
    ) == [
        ("excluded with approval", 1),
        ("in scope", 7),
    ]


def test_a_group_out_of_scope_takes_its_own_findings_with_it(house: Any, source: Any, people: Any) -> None:
    house.models = only(house.models, EMPTY_GROUP)
    groups = [{"_id": "g-old", "name": "Old Sales", "users": []}, {"_id": "g-new", "name": "New Sales", "users": []}]
    snapshot = house.land(FIRST, {"prod": source(people, groups=groups)})

    house.build(snapshot, policy={"out_of_scope.csv": OUT_OF_SCOPE + ",old sales,closed,b@x.test\n"})

    assert house.rows(
        f"select subject_id, status from findings.register where rule_id = '{EMPTY_GROUP}' order by 1"
    ) == [
        ("g-new", "open"),
        ("g-old", "out_of_scope"),
    ]


@pytest.mark.parametrize(
    ("overrides", "severity"), [({}, "high"), ({EXCEPTION_EXPIRED: {"severity": "info"}}, "info")]
)
def test_an_expired_exception_is_as_severe_as_its_finding_is_now(
    house: Any, source: Any, make_user: Any, overrides: dict[str, Any], severity: str
) -> None:
    house.models = only(house.models, STALE_ACCOUNT, EXCEPTION_EXPIRED)
    snapshot = house.land(FIRST, {"prod": source([make_user("old", lastLogin="2020-01-01T00:00:00Z")])})

    house.build(
        snapshot,
        overrides=overrides,
        policy={"exceptions.csv": EXCEPTIONS + f"{STALE_ACCOUNT},,old,r,b@x.test,2025-12-31\n"},
    )

    assert house.rows("select rule_id, severity from findings.register order by rule_id") == [
        (EXCEPTION_EXPIRED, severity),
        (STALE_ACCOUNT, "high"),  # past 180 days, where the rule's own is medium
    ]


def test_a_subject_matching_two_accounts_is_an_error_and_one_matching_none_a_warning(
    house: Any, source: Any, make_user: Any
) -> None:
    house.models = only(house.models, STALE_ACCOUNT)
    users = [make_user("a", userName="twin"), make_user("b", email="Twin"), make_user("c")]
    snapshot = house.land(FIRST, {"prod": source(users)})

    with pytest.raises(
        ConfigurationError, match=r"out_of_scope\.csv, line 3: 'twin' names 2 accounts in source 'prod'"
    ):
        house.build(snapshot, policy={"out_of_scope.csv": OUT_OF_SCOPE + ",c,r,b@x.test\n,twin,r,b@x.test\n"})
    built = house.build(snapshot, policy={"out_of_scope.csv": OUT_OF_SCOPE + ",c,r,b@x.test\n,nobody,r,b@x.test\n"})

    assert "out_of_scope.csv, line 3: there is no account, group, person or role 'nobody'" in built.warnings


def test_an_exception_means_an_account_even_where_a_person_has_the_same_id(
    house: Any, source: Any, people: Any
) -> None:
    house.models = only(house.models, STALE_ACCOUNT, EXCEPTION_EXPIRED)
    snapshot = house.land(FIRST, {"prod": source(people)})

    house.build(
        snapshot,
        roster="email\nold@example.com\n",  # without a column person_id, the address is the person's id
        policy={"exceptions.csv": EXCEPTIONS + f"{STALE_ACCOUNT},,old@example.com,r,b@x.test,2025-12-31\n"},
    )

    assert house.rows(
        f"select subject_type, subject_id from findings.register where rule_id = '{EXCEPTION_EXPIRED}'"
    ) == [("account", "old")]


def test_an_exception_for_a_rule_about_people_is_found_by_the_person(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    rule = altered(named(house.models, f"findings.{ORPHANED_ACCOUNT}"), r"(?s)^.*\Z", PERSON_RULE)
    snapshot = house.land(FIRST, {"prod": source(people)})

    house.build(
        snapshot,
        models=swapped(house.models, rule),
        roster="person_id,email\n7,ann@example.com\n8,old@example.com\n",
        policy={"exceptions.csv": EXCEPTIONS + f"{ORPHANED_ACCOUNT},,7,r,b@x.test,2027-01-01\n"},
    )

    assert house.rows(
        "select subject_type, subject_id, source, status from findings.register "
        f"where rule_id = '{ORPHANED_ACCOUNT}' order by subject_id"
    ) == [("person", "7", None, "accepted_risk"), ("person", "8", None, "open")]


PERSON_RULE = """/*
title = "T"
summary = "S."
severity = "low"
population = "select person_id from graph.people"
reads = ["graph.people"]
grain = ["person_id"]
remediation = "R."
*/
select person_id, 'failed' as verdict from graph.people

/* example
name = "everybody"
given."graph.people" = [ { person_id = "p" } ]
expect = [ { person_id = "p", verdict = "failed" } ]
*/
"""
