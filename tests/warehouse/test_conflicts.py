"""A finding about a person shows the name, counts for each account, and is in the reviewers' packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.review import campaign as campaigns
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.conftest import House, opened_copy
from tests.warehouse.conftest import opened as opened_house

SOD_CONFLICT = rule("Segregation of duties conflict")

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
SNAPSHOT = "20260101T000000Z-0000"
ROSTER = """person_id,email,aliases,display_name,manager_email
p1,ada@example.com,ada.admin@example.com,Ada Reyes,bob@example.com
p2,bob@example.com,,Bob Dahl,
"""
POLICY = {"sod_pairs.csv": "left_type,left_name,right_type,right_name,reason\nrole,admin,group,Sales,too much\n"}


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, models: list[Model], source: Any, make_user: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("built")
    users = [
        make_user("ada", groups=["g-all", "g-sales", "g-ops"]),
        make_user("ada.admin", roleId="r-admin"),
        make_user("bob", groups=["g-sales"]),
    ]
    with opened_house(folder, models) as house:
        house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=POLICY)
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(template, tmp_path, models) as house:
        yield house


def opened(house: Any, scope: str = "flagged") -> None:
    campaigns.open_campaign(
        house.connection, campaigns.NewCampaign("Q", scope, ("owner", "manager", "ciso@example.com"), None), NOW
    )


def test_a_finding_on_a_person_names_the_person(built: Any) -> None:
    found = f"select display_name, email from reports.findings where rule_id = '{SOD_CONFLICT}'"
    shown = f"select label, email from reports.finding_rows where rule_id = '{SOD_CONFLICT}'"

    assert built.rows(found) == [("Ada Reyes", "ada@example.com")]
    assert built.rows(shown) == [("Ada Reyes", "ada@example.com")]


def test_a_finding_about_a_person_counts_for_each_of_their_accounts(built: Any) -> None:
    counted = built.rows(
        f"select account_id, finding_count > 0 and rule_ids like '%{SOD_CONFLICT}%', top_severity, risk_score > 0 "
        f"from reports.population where rule_ids like '%{SOD_CONFLICT}%' order by account_id"
    )

    assert [(account_id, counts, risk) for account_id, counts, _, risk in counted] == [
        ("ada", True, True),
        ("ada.admin", True, True),
    ]
    assert built.rows(f"select accounts from reports.rule_results where rule_id = '{SOD_CONFLICT}'") == [(2,)]


def test_the_recommendation_is_to_remove_one_side_of_a_conflict(built: Any) -> None:
    items = dict(
        built.rows(
            "select account_id || ' ' || entitlement_id, recommendation_reason from reports.access "
            f"where recommendation = 'remove' and rule_ids like '%{SOD_CONFLICT}%'"
        )
    )

    assert set(items) == {"ada g-sales", "ada.admin r-admin"}
    assert "role Admin of account ada.admin@example.com. Remove one of the two" in items["ada g-sales"]
    assert "group Sales of account ada@example.com. Remove one of the two" in items["ada.admin r-admin"]


def test_both_sides_of_a_conflict_are_adjacent_in_a_packet(built: Any) -> None:
    opened(built)

    pair = built.rows(
        "select account_id, entitlement_id, reviewer_email, place, risk, conflict, findings from review.items "
        "where conflict is not null order by place"
    )

    assert [row[2] for row in pair] == ["bob@example.com"] * 2
    assert pair[1][3] - pair[0][3] == 1
    for number, row in enumerate(pair):
        other = pair[1 - number]
        assert row[4] in {"high", "critical"}
        assert f"(no. {other[3]} here)" in row[5]
        assert "Segregation of duties conflict" in row[6]


def test_a_conflict_between_two_reviewers_is_in_both_packets(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    owners = "entitlement_type,entitlement_name,reviewer_email\ngroup,Sales,sales@example.com\n"
    users = [make_user("ada", groups=["g-sales"]), make_user("ada.admin", roleId="r-admin"), make_user("bob")]
    policy = POLICY | {"owners.csv": owners}
    house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=policy)

    opened(house)

    assert house.rows(
        "select entitlement_id, reviewer_email, conflict from review.items where conflict is not null order by 1"
    ) == [
        ("g-sales", "sales@example.com", "role Admin of account ada.admin@example.com (reviewed by bob@example.com)"),
        ("r-admin", "bob@example.com", "group Sales of account ada@example.com (reviewed by sales@example.com)"),
    ]


def test_a_side_without_a_reviewer_is_listed_as_left_out(built: Any) -> None:
    opened(built, scope="privileged")

    assert built.rows("select conflict from review.items where conflict is not null") == [
        ("group Sales of account ada@example.com (not part of this review)",)
    ]


def test_an_accepted_conflict_changes_no_recommendation(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    exceptions = (
        "rule_id,subject,reason,approved_by,expires_on\nsod_conflict,ada@example.com,small team,ciso,2027-01-01\n"
    )
    users = [make_user("ada", groups=["g-sales"], roleId="r-admin")]
    policy = POLICY | {"exceptions.csv": exceptions}
    house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=policy)

    assert house.rows(f"select status from findings.register where rule_id = '{SOD_CONFLICT}'") == [
        ("accepted_risk",)
    ]
    assert house.rows("select count(*) from reports.conflicts") == [(0,)]
    assert house.rows(f"select rule_ids like '%{SOD_CONFLICT}%' from reports.population") == [(False,)]
