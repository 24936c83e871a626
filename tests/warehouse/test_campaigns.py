"""A campaign gives every item to somebody else than its holder, and takes decisions in whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import GateError, IncompleteError, UsageError
from pipeline.review import campaign as campaigns
from pipeline.review import packets
from pipeline.review.importing import import_file
from pipeline.warehouse.model import Model
from tests.e2e.conftest import Silent
from tests.rules import rule
from tests.warehouse.builds import behind, only
from tests.warehouse.conftest import House, opened_copy
from tests.warehouse.conftest import opened as opened_house

REAPPEARED_ACCESS = rule("Removed access is back")
REVOCATION_NOT_VERIFIED = rule("Removed access is still present")
SELF_REVIEW = rule("Access reviewed by its holder")

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
SNAPSHOT = "20260101T000000Z-0000"
ROSTER = """person_id,email,aliases,display_name,manager_email
p1,ann@example.com,ann.old@example.com,Ann,bob@example.com
p2,bob@example.com,,Bob,bob@example.com
p3,cay@example.com,,Cay,ann.old@example.com
"""
POLICY = {"owners.csv": "entitlement_type,entitlement_name,reviewer_email\ngroup,Sales,ann@example.com\n"}


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, models: list[Model], source: Any, make_user: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("built")
    users = [
        make_user("ann", groups=["g-all", "g-sales"]),
        make_user("bob", roleId="r-admin", groups=["g-ops"]),
        make_user("cay", groups=["g-sales"]),
        make_user("dan"),
    ]
    with opened_house(folder, models) as house:
        house.build(house.land(SNAPSHOT, {"prod": source(users)}), roster=ROSTER, policy=POLICY)
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(template, tmp_path, models) as house:
        yield house


def opened(house: Any, *chain: str, name: str = "Q", scope: str = "all") -> dict[tuple[str, str], tuple[str, str]]:
    campaigns.open_campaign(
        house.connection, campaigns.NewCampaign(name, scope, chain or ("ciso@example.com",), None), NOW
    )
    found = house.rows(
        f"select account_id, entitlement_id, reviewer_email, reviewer_basis from review.items "
        f"where campaign = '{name}' and exclusion_reason is null"
    )
    return {(account, entitlement): (reviewer, basis) for account, entitlement, reviewer, basis in found}


def item(house: Any, account_id: str, entitlement_id: str) -> str:
    [(item_id,)] = house.rows(
        f"select item_id from review.items where account_id = '{account_id}' and entitlement_id = '{entitlement_id}'"
    )
    return str(item_id)


def test_the_reviewer_is_the_owner_then_the_manager_then_a_named_reviewer_and_never_the_holder(built: Any) -> None:
    asked = opened(built)

    assert asked["cay", "g-sales"] == ("ann@example.com", "owner")
    assert asked["ann", "g-sales"] == ("bob@example.com", "manager")  # the owner is Ann herself
    assert asked["cay", "r-viewer"] == ("ann.old@example.com", "manager")
    assert asked["bob", "g-ops"] == ("ciso@example.com", "named")  # Bob is his own manager
    assert asked["dan", "r-viewer"] == ("ciso@example.com", "named")  # nobody in the roster
    assert ("ann", "g-all") not in asked


def test_another_address_of_the_holder_is_still_the_holder(built: Any) -> None:
    asked = opened(built, "owner", "ann.old@example.com", "ciso@example.com")

    assert asked["ann", "g-sales"] == ("ciso@example.com", "named")


def test_without_a_reviewer_for_every_item_no_campaign_is_opened(built: Any) -> None:
    with pytest.raises(GateError, match="have no reviewer"):
        opened(built, "owner", "manager")

    assert built.rows("select count(*) from review.campaigns") == [(0,)]
    assert built.rows("select count(*) from review.items") == [(0,)]


def test_privileged_access_is_a_high_risk_item(built: Any) -> None:
    opened(built, scope="privileged")

    assert set(built.rows("select account_id, risk in ('critical', 'high') from review.items")) >= {("bob", True)}
    assert built.rows("select count(*) from review.items where account_id = 'cay'") == [(0,)]


def test_external_access_is_that_of_addresses_outside(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    users = [make_user("ann"), make_user("eve", email="eve@Partner.test"), make_user("bot", email=None)]
    house.build(house.land(SNAPSHOT, {"prod": source(users)}))

    opened(house, scope="external")

    assert built_accounts(house) == {"eve"}


def test_without_domains_of_the_organisation_no_access_is_external(built: Any) -> None:
    built.connection.execute("delete from policy.email_domains")

    with pytest.raises(UsageError, match="external") as caught:
        opened(built, scope="external")

    assert "email_domains" in caught.value.hint


def built_accounts(house: Any) -> set[str]:
    return {account for (account,) in house.rows("select account_id from review.items")}


def test_a_partial_snapshot_is_not_reviewed(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    house.build(house.land(SNAPSHOT, {"prod": source([make_user("ann")], outcome={"observations": ()})}))

    with pytest.raises(IncompleteError):
        opened(house)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("keep,,,,,", "a high-risk item needs a reason to keep"),
        ("dunno,,,,,", "'dunno' is not a decision"),
        ("keep,because,Viewer,,,", "this goes with reduce, but the decision is keep"),
        ("remove,because,,2099-01-01,,", "this goes with defer, but the decision is remove"),
        ("keep,because,,,boss@example.com,", "this goes with exception, but the decision is keep"),
        (",because,,,,", "the decision is missing"),
        ("reduce,because,Emperor,,,", "'Emperor' is not a role of prod"),
        ("reduce,because,,,,", "reduce needs a target role"),
        ("reduce,because,Admin,,,", "Admin is not lower than Admin"),
        ("reduce,because,custom_odd,,,", "the rank of custom_odd is not known, so it may not be lower than Admin"),
        ("defer,because,,,,", "defer needs a date"),
        ("defer,,,2026-02-01,,", "a high-risk item needs a reason to defer"),
        ("defer,because,,2026-04-11,,", "2026-04-11 is too late: at most 90 days after the opening, so 2026-04-10"),
        (f"keep,{'x' * 1001},,,,", "a reason has at most 1,000 characters, this one has 1,001"),
        ("exception,,,,boss@example.com,2026-12-31", "a high-risk item needs a reason to exception"),
        ("exception,because,,,boss@example.com,2027-01-11", "2027-01-11 is too late"),
        ("exception,because,,,CISO@example.com,2026-12-31", "the reviewer cannot approve their own exception"),
        ("defer,because,,2026-01-10,,", "is not after the day"),
        ("exception,because,,,boss@example.com,03/04/2027", "could be 2027-04-03 or 2027-03-04"),
        ("exception,because,,,,2027-01-01", "needs the e-mail address of its approver"),
        ("exception,because,,,bob@example.com,2027-01-01", "the holder of an account cannot approve its exception"),
    ],
)
def test_an_invalid_decision_is_named_and_imports_nothing(
    built: Any, tmp_path: Path, cells: str, problem: str
) -> None:
    opened(built)
    [(item_id,)] = built.rows(
        "select item_id from review.items where account_id = 'bob' and entitlement_id = 'r-admin'"
    )
    [(other,)] = built.rows(
        "select item_id from review.items where account_id = 'cay' and entitlement_id = 'g-sales'"
    )
    path = tmp_path / "returned.csv"
    header = "reviewer,item_id,decision,reason,target_role,defer_until,approver,expires_on"
    rows = f"ann@example.com,{other},keep,,,,,\nciso@example.com,{item_id},{cells}\n"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")

    refused = import_file(built.connection, path, name=None, now=NOW)

    assert [each.text for each in refused.problems if problem in each.text]
    assert all(each.place.startswith("row 3, ") for each in refused.problems)
    assert built.rows("select count(*) from review.decisions") == [(0,)]
    taken = import_file(built.connection, path, name=None, now=NOW, skip_invalid=True)
    assert taken.left_out == 1
    assert (taken.new, built.rows("select item_id from review.decisions")) == (1, [(other,)])


def test_a_changed_decision_keeps_the_earlier_one(built: Any, tmp_path: Path) -> None:
    opened(built)
    [(item_id,)] = built.rows(
        "select item_id from review.items where account_id = 'cay' and entitlement_id = 'r-viewer'"
    )
    path = tmp_path / "returned.csv"
    for decision, counts in (("keep", (1, 0, 0)), ("keep", (0, 0, 1)), ("remove", (0, 1, 0))):
        path.write_text(f"item_id,decision\n{item_id},{decision}\n", encoding="utf-8")
        found = import_file(built.connection, path, name="Q", now=NOW)
        assert (found.new, found.changed, found.unchanged) == counts

    assert built.rows("select sequence, decision from review.decisions order by 1") == [(1, "keep"), (2, "remove")]


def test_importing_an_old_file_again_does_not_undo_a_later_decision(built: Any, tmp_path: Path) -> None:
    opened(built)
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(f"item_id,decision\n{item(built, 'cay', 'r-viewer')},keep\n", encoding="utf-8")
    new.write_text(f"item_id,decision\n{item(built, 'cay', 'r-viewer')},remove\n", encoding="utf-8")
    import_file(built.connection, old, name="Q", now=NOW)
    import_file(built.connection, new, name="Q", now=NOW)

    again = import_file(built.connection, old, name="Q", now=NOW)

    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)
    assert built.rows("select sequence, decision from review.decisions order by 1") == [(1, "keep"), (2, "remove")]


@pytest.mark.parametrize("header", ["item_id,decision", "reviewer,item_id,decision"])
def test_a_reviewer_cannot_decide_on_the_items_of_another(built: Any, tmp_path: Path, header: str) -> None:
    asked = opened(built)
    assert asked["cay", "g-sales"] != asked["cay", "r-viewer"]
    path = tmp_path / "returned.csv"
    named = "ann@example.com," if header.startswith("reviewer") else ""
    own, others = item(built, "cay", "g-sales"), item(built, "cay", "r-viewer")
    path.write_text(f"{header}\n{named}{own},keep\n{named}{others},keep\n", encoding="utf-8")

    refused = import_file(built.connection, path, name="Q", now=NOW)

    assert [each.text for each in refused.problems] == [
        "this item is assigned to ann.old@example.com, not to ann@example.com"
    ]
    assert built.rows("select count(*) from review.decisions") == [(0,)]


def test_people_who_have_left_are_not_reviewers(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    roster = (
        "person_id,email,manager_email,employment_status\n"
        "p1,cay@example.com,bob@example.com,active\np2,bob@example.com,,ended\n"
    )
    house.build(house.land(SNAPSHOT, {"prod": source([make_user("cay")])}), roster=roster)

    assert opened(house)["cay", "r-viewer"] == ("ciso@example.com", "named")


def test_every_reviewer_has_separate_files(built: Any, tmp_path: Path) -> None:
    opened(built, "a+b@example.com", "ciso@example.com")
    item_id = item(built, "cay", "g-sales")
    built.connection.execute(
        "update review.items set reviewer_email = 'a_b@example.com' where item_id = $id", {"id": item_id}
    )

    written = packets.write(built.connection, campaigns.find(built.connection, "Q"), tmp_path, Silent())

    [(reviewers,)] = built.rows("select count(distinct reviewer_email) from review.items")
    assert len({path.name for path in written}) == len(written) == 3 * reviewers


def test_signed_findings_stay_in_history_when_the_snapshot_is_built_again(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    landed = house.land(SNAPSHOT, {"prod": source([make_user("ann")])})
    house.build(landed)
    house.connection.execute(
        "insert into review.sign_offs values ('Q', $id, 'C', 'c@example.com', 'CISO', $now, 'f', 'x')",
        {"id": SNAPSHOT, "now": NOW},
    )
    before = house.rows("select * from history.accounts")

    house.build(landed, as_of=NOW.replace(tzinfo=None))

    assert house.rows("select * from history.accounts") == before


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "x" * 65])
def test_a_campaign_name_that_cannot_be_a_folder_is_refused(built: Any, name: str) -> None:
    with pytest.raises(UsageError):
        opened(built, name=name)


def test_a_due_date_in_the_past_is_refused(built: Any) -> None:
    with pytest.raises(UsageError, match="is in the past"):
        campaigns.open_campaign(built.connection, campaigns.NewCampaign("Q", "all", (), date(2026, 1, 9)), NOW)


def test_removed_access_is_checked_in_every_later_extract(
    built: Any, source: Any, make_user: Callable[..., Any], tmp_path: Path
) -> None:
    def found(snapshot_id: str, *groups: str) -> dict[str, str]:
        cay = make_user("cay", groups=list(groups))
        built.build(built.land(snapshot_id, {"prod": source([make_user("ann"), cay])}), roster=ROSTER, policy=POLICY)
        return dict(
            built.rows("select rule_id, first_seen_snapshot_id from findings.register where account_id = 'cay'")
        )

    opened(built)
    built.models = behind(only(built.models, REVOCATION_NOT_VERIFIED, REAPPEARED_ACCESS))
    path = tmp_path / "returned.csv"
    path.write_text(f"item_id,decision\n{item(built, 'cay', 'g-sales')},remove\n", encoding="utf-8")
    import_file(built.connection, path, name="Q", now=NOW)
    built.connection.execute(
        "insert into review.sign_offs values ('Q', $id, 'C', 'c@example.com', 'CISO', $now, 'f', 'x')",
        {"id": SNAPSHOT, "now": NOW},
    )

    in_time = found("20260120T000000Z-0000", "g-sales")
    too_late = found("20260201T000000Z-0000", "g-sales")
    gone = found("20260202T000000Z-0000")
    back = found("20260203T000000Z-0000", "g-sales")

    assert not {REVOCATION_NOT_VERIFIED, REAPPEARED_ACCESS} & {*in_time, *gone}
    assert REVOCATION_NOT_VERIFIED in too_late
    assert REAPPEARED_ACCESS in back
    assert REVOCATION_NOT_VERIFIED not in back
    assert built.rows("select item_id, first_absent_snapshot_id from baseline.absences") == [
        (item(built, "cay", "g-sales"), "20260202T000000Z-0000")
    ]


def test_events_after_an_extract_ended_do_not_change_its_report(
    built: Any, source: Any, make_user: Callable[..., Any], tmp_path: Path
) -> None:
    opened(built)
    built.models = behind(built.models)
    landed = built.land("20260120T000000Z-0000", {"prod": source([make_user("ann"), make_user("cay")])})
    built.build(landed, roster=ROSTER, policy=POLICY)
    query = "select * from findings.rule_summary order by rule_id"
    before = built.rows(query)
    [(pending,)] = built.rows(f"select unknown from findings.rule_summary where rule_id = '{SELF_REVIEW}'")
    path = tmp_path / "returned.csv"
    path.write_text(f"item_id,decision\n{item(built, 'cay', 'g-sales')},keep\n", encoding="utf-8")
    import_file(built.connection, path, name="Q", now=datetime(2026, 1, 21, tzinfo=UTC))

    built.build(landed, roster=ROSTER, policy=POLICY)

    assert pending > 0
    assert built.rows(query) == before
