"""Only the item at fault is marked: a leaver's role, not all of their groups; a group by what names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from pipeline.review import campaign as campaigns
from pipeline.review import packets, syncing
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
        cards, _ = store.cards("ciso@example.com")

    print([(c.name, c.risk, c.findings, [(i.name, i.risk, i.findings, i.allows, i.conflict) for i in c.items]) for c in cards])
    assert 0
