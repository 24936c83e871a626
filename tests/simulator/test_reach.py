"""The plain computation of reach and row access, which the product's SQL is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.simulator.objects import SimulatedModel
from pipeline.simulator.population import Population, build
from tests.fakes.reach import (
    EVERYTHING,
    NOT_KNOWN,
    NOTHING,
    Path,
    Reach,
    RowAccess,
    all_but,
    between_levels,
    is_wider,
    of_rule,
    some,
    within_a_level,
)

ANCHOR = datetime(2026, 3, 1, tzinfo=UTC)
DEFAULT = {"type": "default"}


def everything(*shares: dict[str, str]) -> dict[str, Any]:
    return rule(shares, allMembers=True)


def nothing(*shares: dict[str, str]) -> dict[str, Any]:
    return rule(shares, allMembers=False)


def allow(values: str, *shares: dict[str, str]) -> dict[str, Any]:
    return rule(shares, members=list(values))


def block(values: str, *shares: dict[str, str]) -> dict[str, Any]:
    return rule(shares, members=list(values), exclusionary=True)


def rule(shares: tuple[dict[str, str], ...], **fields: Any) -> dict[str, Any]:
    plain = {"table": "T", "column": "C", "allMembers": None, "exclusionary": False, "members": []}
    return {**plain, "shares": list(shares), **fields}


# one level -----------------------------------------------------------------------------------------------------

ROWS = [
    ("everything", [everything()], EVERYTHING),
    ("nothing", [nothing()], NOTHING),
    ("everything and nothing", [everything(), nothing()], NOTHING),
    ("allow 1 and nothing", [allow("1"), nothing()], NOTHING),
    ("everything and allow 1", [everything(), allow("1")], some("1")),
    ("everything and block 1", [everything(), block("1")], all_but("1")),
    ("allow 1, 2 and block 1", [allow("12"), block("1")], some("2")),
    ("allow 1 and allow 2", [allow("1"), allow("2")], some("12")),
    ("block 1 and block 2", [block("1"), block("2")], all_but("12")),
    ("allow 1 and block 1", [allow("1"), block("1")], NOTHING),
    ("nothing and block 1", [nothing(), block("1")], NOTHING),
    ("everything, allow 1 and block 2", [everything(), allow("1"), block("2")], some("1")),
]


@pytest.mark.parametrize(("rules", "result"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_most_restrictive_combination_of_one_level_wins(rules: list[dict[str, Any]], result: RowAccess) -> None:
    assert within_a_level(map(of_rule, rules)) == result
    assert within_a_level(map(of_rule, reversed(rules))) == result


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"allMembers": True}, EVERYTHING),
        ({"allMembers": True, "members": ["1"]}, EVERYTHING),
        ({"allMembers": False}, NOTHING),
        ({"allMembers": None}, NOTHING),
        ({"allMembers": None, "exclusionary": True}, NOTHING),
        ({"allMembers": False, "members": ["1"]}, some("1")),
        ({"allMembers": None, "members": ["1"], "exclusionary": None}, some("1")),
        ({"allMembers": False, "members": ["1"], "exclusionary": True}, all_but("1")),
        ({"allMembers": "yes"}, NOT_KNOWN),
        ({"members": None}, NOTHING),
        ({"members": None, "allMembers": False}, NOTHING),
        ({"members": None, "allMembers": True}, EVERYTHING),
        ({"members": "1"}, NOT_KNOWN),
    ],
)
def test_a_rule_means_what_its_three_fields_say(fields: dict[str, Any], result: RowAccess) -> None:
    assert of_rule(rule((), **fields)) == result


# two levels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        (EVERYTHING, NOTHING, NOTHING),
        (EVERYTHING, some("1"), some("1")),
        (EVERYTHING, all_but("1"), all_but("1")),
        (some("12"), some("1"), some("1")),
        (some("12"), some("23"), some("2")),
        (some("1"), some("2"), NOTHING),
        (some("12"), all_but("2"), some("1")),
        (some("1"), all_but("1"), NOTHING),
        (all_but("1"), all_but("2"), all_but("12")),
        (NOT_KNOWN, NOTHING, NOTHING),
        (NOT_KNOWN, EVERYTHING, NOT_KNOWN),
    ],
)
def test_user_and_group_together_see_what_both_let_through(
    left: RowAccess, right: RowAccess, result: RowAccess
) -> None:
    assert between_levels(left, right) == between_levels(right, left) == result


def test_wider_lets_through_all_that_the_other_does_and_more() -> None:
    assert is_wider(EVERYTHING, some("1"))
    assert is_wider(some("12"), some("1"))
    assert is_wider(all_but("1"), all_but("12"))
    assert is_wider(all_but("1"), some("2"))
    assert not is_wider(some("1"), some("1"))
    assert not is_wider(some("12"), some("23"))
    assert not is_wider(NOTHING, some("1"))


# one organisation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [[{"type": "team", "partyId": "t"}], [{"type": "user"}], None])
def test_a_rule_for_an_unknown_party_may_restrict_anybody(
    reach: Reach, member: dict[str, Any], shares: list[dict[str, str]] | None
) -> None:
    def seen(*others: dict[str, Any]) -> RowAccess:
        return reach.of_column(member["_id"], [{**allow("1"), "shares": shares}, *others])

    me = {"type": "user", "partyId": member["_id"]}
    assert seen() == seen(everything(me)) == seen(nothing(DEFAULT)) == NOT_KNOWN
    assert seen(nothing(me)) == NOTHING


@pytest.fixture(scope="module")
def population() -> Population:
    return build(500, 4, ANCHOR)


@pytest.fixture(scope="module")
def reach(population: Population) -> Reach:
    return Reach(population, population.objects)


@pytest.fixture(scope="module")
def member(population: Population) -> dict[str, Any]:
    """Return an ordinary account that is in a group."""
    group = next(group for group in population.groups if group["name"] == "Finance Accountants")
    account_id = population.members[group["_id"]][0]
    return next(user for user in population.users if user["_id"] == account_id)


def sees(reach: Reach, account: dict[str, Any], *rules: dict[str, Any]) -> RowAccess:
    return reach.of_column(account["_id"], rules)


def test_the_levels_are_user_and_group_then_default_then_open(reach: Reach, member: dict[str, Any]) -> None:
    own = {"type": "user", "partyId": member["_id"]}
    team = {"type": "group", "partyId": member["groups"][0]}
    other = {"type": "group", "partyId": "other"}

    assert sees(reach, member, allow("1", own), allow("12", team), nothing(DEFAULT)) == some("1")
    assert sees(reach, member, allow("12", own), allow("1", team), nothing(DEFAULT)) == some("1")
    assert sees(reach, member, allow("1", own), nothing(DEFAULT)) == some("1")
    assert sees(reach, member, allow("1", team), nothing(DEFAULT)) == some("1")
    assert sees(reach, member, allow("1", other), allow("3", DEFAULT)) == some("3")
    assert sees(reach, member, allow("1", other)) == EVERYTHING
    assert sees(reach, member, allow("1", other, own), block("1", DEFAULT)) == some("1")


def test_rules_for_everyone_are_rules_for_a_group_of_each_account(reach: Reach, member: dict[str, Any]) -> None:
    everyone = {"type": "group", "partyId": reach.objects.everyone_id}

    assert sees(reach, member, allow("12", everyone), nothing(DEFAULT)) == some("12")
    assert sees(reach, member, allow("12", everyone), block("1", {"type": "group", "partyId": "x"})) == some("12")


def test_each_column_with_a_rule_has_a_result(reach: Reach, member: dict[str, Any]) -> None:
    model = next(model for model in reach.objects.models if model.rules)

    access = reach.row_access(member["_id"], model)

    assert set(access) == {(rule["table"], rule["column"]) for rule in model.rules}
    assert reach.row_access(member["_id"], replace(model, rules=())) == {}


def test_all_kinds_of_access_occur(reach: Reach, population: Population) -> None:
    kinds = {
        access.access
        for user in population.users[::10]
        for model in reach.objects.models
        for access in reach.row_access(user["_id"], model).values()
    }

    assert kinds == {"everything", "nothing", "some", "all_but"}


# objects -------------------------------------------------------------------------------------------------------


def test_account_and_object_tell_the_same(reach: Reach, population: Population) -> None:
    """An account reaches an object by the paths by which the object is reached."""
    by_object = {
        (account_id, path)
        for made in (*reach.objects.dashboards, *reach.objects.models)
        for account_id, paths in reach.of_object(getattr(made, "oid", "") or made.model_id).items()
        for path in paths
        if path.via != "role"
    }
    by_account = {
        (user["_id"], path)
        for user in population.users
        if user.get("active") is True
        for path in reach.of_account(user["_id"])
        if path.via != "role" and path.object_type != "folder"
    }

    assert by_object == by_account


def test_the_owner_reaches_a_dashboard_once(reach: Reach) -> None:
    dashboard = reach.objects.dashboards[-1]

    paths = {path for path in reach.of_account(dashboard.owner) if path.object_id == dashboard.oid}

    assert Path("dashboard", dashboard.oid, "owner", "owner", dashboard.owner) in paths
    assert not any(path.via == "account" for path in paths)


def test_everyone_is_every_active_account_and_a_group_its_active_members(reach: Reach) -> None:
    paths = list(all_paths(reach))
    everyone = next(path for path in paths if path.via == "everyone")
    group = next(path for path in paths if path.via == "group")

    assert reach.reached(everyone) == reach.active
    assert reach.reached(group) < reach.active
    assert reach.reached(group) <= set(reach.population.members[group.via_id]) | {
        user["_id"] for user in reach.population.users if group.via_id in (user.get("groups") or [])
    }


def test_roles_reach_everything_of_a_type_and_public_links_need_no_account(reach: Reach) -> None:
    roles = {role["name"]: role["_id"] for role in reach.population.roles}
    holder = {user.get("roleId"): user["_id"] for user in reach.population.users}

    def by_role(name: str) -> set[str]:
        return {path.object_type for path in reach.of_account(holder[roles[name]]) if path.via == "role"}

    assert by_role("admin") == by_role("super") == {"dashboard", "model"}
    assert by_role("dataAdmin") == {"model"}
    assert by_role("dataDesigner") == by_role("consumer") == set()
    assert reach.reached(next(path for path in all_paths(reach) if path.via == "public")) == set()


def test_a_dangling_party_is_kept_and_reaches_no_account(reach: Reach, population: Population) -> None:
    known = {*reach.users, *population.members, ""}
    lost = {path.via: path for path in all_paths(reach) if path.via_id not in known}

    assert set(lost) == {"owner", "account", "group"}
    assert all(reach.reached(path) == set() for path in lost.values())


def test_model_permissions_have_their_levels(reach: Reach) -> None:
    model = next(model for model in reach.objects.models if isinstance(model, SimulatedModel) and model.is_live)
    levels = {path.via_id: path.level for path in reach.grants(model)}

    for share in model.shares:
        assert levels[share["partyId"]] in {{"r": "use", "a": "read", "w": "edit"}[share["permission"]], "owner"}
    assert levels[model.creator] == "owner"


def all_paths(reach: Reach) -> Iterator[Path]:
    yield from reach.all_grants
