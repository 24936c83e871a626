"""Only the item at fault is marked: a leaver's role, not all of their groups; a group by what names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from pipeline.review import campaign as campaigns
from pipeline.review.store import ReviewStore

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
SNAPSHOT = "20260101T000000Z-0000"
ROSTER = """person_id,email,display_name,manager_email,department,title,employment_status,end_date
p1,ann@example.com,Ann,boss@example.com,Sales,Analyst,ended,2025-11-30
p2,bob@example.com,Bob,boss@example.com,Sales,Engineer,active,
p3,cay@example.com,Cay,boss@example.com,Finance,Auditor,active,
"""
POLICY = {
    "privileged_groups.csv": "group_name\nOps\n",
    "sod_pairs.csv": "left_type,left_name,right_type,right_name,reason\nrole,Viewer,group,Sales,sells and sees\n",
}


def test_a_finding_about_the_account_marks_its_role_and_one_that_names_a_group_marks_that(
    house: Any, source: Any, make_user: Callable[..., Any], tmp_path: Any
) -> None:
    users = [
        make_user("ann", groups=["g-sales"]),
        make_user("bob", groups=["g-ops"], roleId="r-admin"),
        make_user("cay", groups=["g-sales"], roleId="r-designer"),
    ]
    house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=POLICY)
    new = campaigns.NewCampaign("Q", reviewers=("ciso@example.com",), due_on=date(2026, 2, 1))
    campaign = campaigns.open_campaign(house.connection, new, NOW)
    with ReviewStore.make(house.connection, campaign, tmp_path / "review.sqlite") as store:
        cards, _ = store.cards("boss@example.com")
    items = {(card.name, item.name): item for card in cards for item in card.items}

    assert [(card.name, card.risk) for card in cards] == [
        ("Test Ann", "critical"), ("Test Bob", "high"), ("Test Cay", "high")
    ]  # fmt: skip
    leaver, role, group = cards[0], items["Test Ann", "Viewer"], items["Test Ann", "Sales"]
    assert (leaver.title, leaver.department, leaver.manager_email) == ("Analyst", "Sales", "boss@example.com")
    said = (
        "Leaver still active: Left on 30 Nov 2025, 32 days ago. Used afterwards: last seen 20 Dec 2025, 20 days later"
    )
    assert said in leaver.findings
    assert said in role.findings
    assert (role.risk, group.risk) == ("critical", "high")
    assert [finding.partition(":")[0] for finding in group.findings] == ["Segregation of duties conflict"]
    assert (role.conflict_with, group.conflict_with) == ((group.item_id,), (role.item_id,))
    assert (role.conflict, group.conflict) == ("group Sales", "role Viewer")
    # Without a finding that names it, a group is as risky as its own permission level.
    assert (items["Test Cay", "Sales"].findings, items["Test Cay", "Sales"].risk) == ((), "info")
    assert (items["Test Bob", "Ops"].findings, items["Test Bob", "Ops"].is_high_risk) == ((), True)
    assert items["Test Bob", "Admin"].allows == "Administer the system: all accounts, groups, data and settings."
    assert items["Test Bob", "Ops"].allows == (
        "See what is shared with this group of 1 account. The policy lists it as privileged."
    )


def test_without_the_role_in_the_campaign_a_finding_about_the_account_marks_its_groups(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    users = [make_user("ann", groups=["g-ops", "g-sales"]), make_user("bob", groups=["g-sales"])]
    house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=POLICY)
    new = campaigns.NewCampaign("Q", "privileged", ("ciso@example.com",))
    campaigns.open_campaign(house.connection, new, NOW)

    found = house.rows("select entitlement_name, risk, findings from review.items where campaign = 'Q'")

    assert [(name, risk) for name, risk, _ in found] == [("Ops", "critical")]
    assert "Leaver still active" in found[0][2]
