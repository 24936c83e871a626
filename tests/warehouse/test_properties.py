"""What holds for every population: the order in which records come is nothing, and a membership only ever adds."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.search import looking_for

DUPLICATE_ACCOUNTS = rule("Duplicate accounts")
EMPTY_GROUP = rule("Empty group")
EXCESSIVE_GROUPS = rule("Far more groups than peers")
LOCAL_ACCOUNT_BESIDE_SSO = rule("Local password despite single sign-on")
MEMBERSHIP_DISAGREEMENT = rule("Inconsistent group membership")
OVER_PRIVILEGED_VS_PEERS = rule("Role above peers")
RARE_GROUP_MEMBERSHIP = rule("Rare group")
SEVERAL_ACCOUNTS_ONE_PERSON = rule("Several accounts, one person")
TOO_FEW_ADMINS = rule("Too few administrators")
TOO_MANY_ADMINS = rule("Too many administrators")

SNAPSHOT = "20260101T000000Z-0001"
NAMES = ("ann", "bob", "cyd", "dee", "eve", "fay")
GROUPS = ("g-all", "g-sales", "g-ops", "g-gone")
BOUNDED = looking_for(quick=2, deep=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

members = st.frozensets(st.tuples(st.sampled_from(NAMES), st.sampled_from(GROUPS)), max_size=8)


@pytest.mark.search
def test_order_and_repetition_change_no_report(
    open_house: Any, tmp_path: Path, models: list[Model], source: Any, make_user: Callable[..., dict[str, Any]]
) -> None:
    users = [
        make_user("ann", groups=["g-sales", "g-ops", "g-gone"]),
        make_user("bob", lastLogin="2025-01-01T00:00:00Z", roleId="r-admin"),
        make_user("cyd", email="ANN@example.com", roleId="r-gone"),
        make_user("dee", active=False, lastLogin=None),
        make_user("eve", email="eve@elsewhere.test", roleId="r-odd"),
    ]
    groups = [{"_id": "g-all", "name": "Everyone"}, {"_id": "g-sales", "name": "Sales", "users": ["ann", "bob"]}]
    numbers = count()
    # These two describe the requests themselves.
    about_requests = {"requests", "reconciliation"}

    def reports(given_source: Any) -> dict[str, Any]:
        with open_house(tmp_path / str(next(numbers)), models) as house:
            house.build(house.land(SNAPSHOT, {"prod": given_source}), roster="email\nann@example.com\n")
            return {name: rows for name, rows in house.reports().items() if name not in about_requests}

    expected = reports(source(users, groups=groups))
    assert len(expected["findings"]) > 5

    @BOUNDED
    @given(order=st.permutations(users), others=st.permutations(groups), size=st.integers(1, 5), again=st.booleans())
    def holds(order: list[Any], others: list[Any], size: int, again: bool) -> None:
        found = reports(source(order, groups=others, page_size=size, repeat_first_page=again))

        assert found == expected

    holds()


@pytest.mark.search
def test_an_additional_membership_never_removes_access(
    open_house: Any, tmp_path: Path, models: list[Model], source: Any, make_user: Callable[..., dict[str, Any]]
) -> None:
    needed = [model for model in models if model.schema in {"staging", "graph"} or model.name == "register"]
    numbers = count()

    def access(in_users: frozenset[tuple[str, str]], in_groups: frozenset[tuple[str, str]]) -> set[Any]:
        users = [make_user(name, groups=[g for n, g in sorted(in_users) if n == name]) for name in NAMES]
        groups = [
            {"_id": group, "name": group, "users": [n for n, g in sorted(in_groups) if g == group]}
            for group in GROUPS
            if group != "g-gone"
        ]
        with open_house(tmp_path / str(next(numbers)), needed) as house:
            house.build(house.land(SNAPSHOT, {"prod": source(users, groups=groups)}))
            return set(house.rows("select account_id, group_id from graph.memberships"))

    @BOUNDED
    @given(in_users=members, in_groups=members, more=st.tuples(st.sampled_from(NAMES), st.sampled_from(GROUPS)))
    def holds(in_users: frozenset[Any], in_groups: frozenset[Any], more: tuple[str, str]) -> None:
        listed = frozenset(pair for pair in in_groups if pair[1] != "g-gone")

        assert access(in_users, listed) == in_users | listed
        assert access(in_users | {more}, listed) == in_users | listed | {more}

    holds()


#: Rules that judge an account by how many others there are or by what they have: these may change when one goes.
ABOUT_OTHERS = {
    DUPLICATE_ACCOUNTS, EMPTY_GROUP, EXCESSIVE_GROUPS, LOCAL_ACCOUNT_BESIDE_SSO, MEMBERSHIP_DISAGREEMENT,
    OVER_PRIVILEGED_VS_PEERS, RARE_GROUP_MEMBERSHIP, SEVERAL_ACCOUNTS_ONE_PERSON, TOO_FEW_ADMINS,
    TOO_MANY_ADMINS,
}  # fmt: skip


@pytest.mark.search
def test_removing_an_account_adds_no_finding_on_another_and_every_sum_holds(
    open_house: Any, tmp_path: Path, models: list[Model], source: Any, make_user: Callable[..., dict[str, Any]]
) -> None:
    needed = [model for model in models if model.schema in {"staging", "graph", "findings"}]
    numbers = count()
    roster = "person_id,email,employment_status\np1,ann@example.com,active\np2,bob@example.com,ended\n"
    # At least one account has a last login: a source that gives none is tested elsewhere.
    witness = make_user("zoe")

    def findings(users: list[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
        with open_house(tmp_path / str(next(numbers)), needed) as house:
            house.build(house.land(SNAPSHOT, {"prod": source([*users, witness])}), roster=roster)
            for rule_id, population, passed, failed, unknown in house.rows(
                "select rule_id, population, passed, failed, unknown from findings.rule_summary"
            ):
                assert population == passed + failed + unknown, rule_id
                assert min(passed, failed, unknown) >= 0, rule_id
            register = house.rows("select finding_id, rule_id, account_id from findings.register")
            found = {finding_id: (rule_id, account_id) for finding_id, rule_id, account_id in register}
            assert len(found) == len(register)
            return found

    people = st.fixed_dictionaries(
        {
            "active": st.sampled_from([True, True, False, None]),
            "roleId": st.sampled_from(["r-admin", "r-viewer", "r-odd", "r-gone"]),
            "groups": st.lists(st.sampled_from(GROUPS), unique=True, max_size=3),
            "lastLogin": st.sampled_from(["2025-12-20T08:00:00Z", "2025-01-01T00:00:00Z", "soon", None]),
            "email": st.sampled_from(["ann@example.com", "Bob@example.com", "x@elsewhere.test", None]),
        }
    )

    @BOUNDED
    @given(drawn=st.lists(people, min_size=3, max_size=6), gone=st.integers(0, 2))
    def holds(drawn: list[dict[str, Any]], gone: int) -> None:
        users = [make_user(NAMES[number], **fields) for number, fields in enumerate(drawn)]

        whole = findings(users)
        less = findings(users[:gone] + users[gone + 1 :])

        added = {less[finding_id][0] for finding_id in less.keys() - whole.keys()}
        assert added <= ABOUT_OTHERS
        # what is found again is the same finding: neither its id nor what it is about has changed
        assert all(whole[finding_id] == less[finding_id] for finding_id in less.keys() & whole.keys())
        kept = {(rule, account) for rule, account in whole.values() if account not in {None, NAMES[gone]}}
        assert {(rule, account) for rule, account in kept if rule not in ABOUT_OTHERS} <= set(less.values())

    holds()
