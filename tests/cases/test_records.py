"""One odd record among many good ones: every field that is read, in every shape of JSON, from page to finding."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.sources.records import read_records
from pipeline.warehouse.model import Model
from tests.cases.case import Case, each
from tests.rules import rule
from tests.warehouse.conftest import GROUPS, ROLES, House, Source, open_house, user

EMPTY_GROUP = rule("Empty group")
EXCESSIVE_GROUPS = rule("Far more groups than peers")
INACTIVE_WITH_ACCESS = rule("Inactive account with access")
LOCAL_ACCOUNT_BESIDE_SSO = rule("Local password despite single sign-on")
OVER_PRIVILEGED_VS_PEERS = rule("Role above peers")
PRIVILEGED_THROUGH_GROUP = rule("Privileged through a group")
RARE_GROUP_MEMBERSHIP = rule("Rare group")
UNCLASSIFIED_ROLE = rule("Unclassified role")

SNAPSHOT = "20260101T000000Z-0001"
GOOD = 12
#: A roster, so that the rules about people have something to judge by.
ROSTER = "email\n" + "\n".join(f"good{number}@example.com" for number in range(GOOD)) + "\n"


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


SHAPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "a number": 7,
    "a negative number": -1,
    "a huge number": 10**60,
    "a number of 390 digits": 10**390,
    "a fraction": 1.5,
    "an infinite number": float("inf"),
    "the word NaN": "NaN",
    "empty text": "",
    "a blank": " ",
    "a very long text": "x" * 100_000,
    "half a character": "a\ud83d",
    "a NUL character": "a\x00b",
    "text": "5f00aa",
    "the word true": "true",
    "text like an object": "{not json",
    "text like a list": "[External] Bo",
    "an empty list": [],
    "a list of text": ["x"],
    "a list of null": [None],
    "a list in a list": [["x"]],
    "a list of objects": [{"a": 1}],
    "a mixed list": ["g-sales", 5, {"_id": "g-all"}, {"_id": None}, {"_id": {"x": 1}}, True],
    "an empty object": {},
    "an object with an id": {"_id": "x"},
    "an object with an odd id": {"_id": {"$oid": "x"}},
    "a nested object": {"a": {"b": [{"c": None}]}},
    "50 levels": nested(50),
    "500 levels": nested(500),
}
#: Every documented field but the id, and how it is read: as text, as a reference, as a truth value, as a time.
USER_FIELDS = {
    **dict.fromkeys(["userName", "email", "firstName", "lastName"], "text"),
    **dict.fromkeys(["principalName", "objectSid", "dn", "tenantId"], "text"),
    **dict.fromkeys(["activeDirectory", "createdSso"], "truth"),
    **dict.fromkeys(["lastLogin", "lastActivity", "created", "lastUpdated"], "time"),
    **dict.fromkeys(["preferences", "uiSettings", "pendingExpiration", "hash", "newInNextVersion"], "other"),
    "roleId": "reference",
    "role": "other",
    "groups": "references",
    "active": "status",
}
ROLE_FIELDS = ("name", "displayName", "baseRoleName", "manifest")
GROUP_FIELDS = ("name", "mail", "ad", "roleId", "defaultRole", "objectSid", "dn", "tenantId", "users")
#: What stands where a text is expected, and holds none.
NO_TEXT = {
    shape
    for shape, value in SHAPES.items()
    if isinstance(value, bool | list | dict)  # nothing else comes as JSON
}
#: Groups that are read in full: lists of ids or objects with one, a single one of either, and what names none.
READ_GROUPS = {
    shape
    for shape, value in SHAPES.items()
    if not isinstance(value, bool | list | dict)
    and shape not in {"the word true", "text like an object", "text like a list"}
} | {"an empty list", "a list of text", "a list of null", "an object with an id"}
COLUMNS = {"userName": "user_name", "email": "email", "firstName": "first_name", "lastName": "last_name"}
#: Rules that judge an account by how many others there are, or by what these have.
ABOUT_OTHERS = {EXCESSIVE_GROUPS, OVER_PRIVILEGED_VS_PEERS, RARE_GROUP_MEMBERSHIP, LOCAL_ACCOUNT_BESIDE_SSO}


@dataclass
class Built:
    """One build: the accounts by id, each account's verdicts by rule, the warnings."""

    completeness: str
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    group_verdicts: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    roles: set[str] = field(default_factory=set)
    warnings: Sequence[str] = ()


def decoded(records: Sequence[Any]) -> list[Any]:
    """Return records as a source keeps them."""
    body = json.dumps(records).replace("Infinity", "1e999").encode()
    kept: list[Any] = json.loads(read_records(body).kept)
    return kept


def play(house: House, users: list[Any], roles: list[Any], groups: list[Any], models: Sequence[Model]) -> Built:
    snapshot = house.land(SNAPSHOT, {"prod": Source(decoded(users), decoded(roles), decoded(groups))})
    build = house.build(snapshot, roster=ROSTER)
    built = Built(snapshot.completeness, warnings=build.warnings)
    built.accounts = by_id(house, "graph.accounts", "account_id")
    built.groups = by_id(house, "graph.groups", "group_id")
    built.roles = {row[0] for row in house.rows("select role_id from graph.roles")}
    for model in models:
        if model.is_rule and model.grain == ("source", "account_id"):
            for account_id, verdict in house.rows(f"select account_id, verdict from {model.table}"):
                built.verdicts[account_id][model.name] = verdict
        if model.is_rule and model.grain == ("source", "group_id"):
            for group_id, verdict in house.rows(f"select group_id, verdict from {model.table}"):
                built.group_verdicts[group_id][model.name] = verdict
    return built


def by_id(house: House, table: str, key: str) -> dict[str, dict[str, Any]]:
    cursor = house.connection.execute(f"select * from {table}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row[key]: row for row in rows}


def good_users() -> list[dict[str, Any]]:
    return [user(f"good{number}", groups=["g-sales", "g-all"], activeDirectory=False) for number in range(GOOD)]


@pytest.fixture(scope="module")
def builds(models: list[Model], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Build good records alone, and the same with an odd one for each field and shape."""
    users = good_users() + [
        user(f"{name}: {shape}", groups=["g-all"], active=False, **{name: value})
        if name not in {"groups", "active"}
        else user(f"{name}: {shape}", **{"active": False, name: value})
        for name in USER_FIELDS
        for shape, value in SHAPES.items()
    ]
    roles = [
        *ROLES,
        *(
            {"_id": f"{name}: {s}", "name": f"{name} {s}", name: value}
            for name in ROLE_FIELDS
            for s, value in SHAPES.items()
        ),
    ]
    groups = [
        *GROUPS,
        *(
            {"_id": f"{name}: {s}", "name": f"{name} {s}", name: value}
            for name in GROUP_FIELDS
            for s, value in SHAPES.items()
        ),
    ]
    opened: Callable[..., AbstractContextManager[House]] = open_house.__wrapped__()  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("records")
    with opened(folder / "good", models) as house:
        good = play(house, good_users(), list(ROLES), list(GROUPS), models)
    with opened(folder / "odd", models) as house:
        yield good, play(house, users, roles, groups, models)


def test_every_record_lands_and_the_extract_stays_complete(builds: tuple[Built, Built]) -> None:
    good, odd = builds

    assert odd.completeness == good.completeness == "FULL"
    assert len(odd.accounts) == GOOD + len(USER_FIELDS) * len(SHAPES)
    assert len(odd.groups) == len(GROUPS) + len(GROUP_FIELDS) * len(SHAPES)
    assert len(odd.roles) == len(ROLES) + len(ROLE_FIELDS) * len(SHAPES)


def test_odd_accounts_do_not_affect_the_others(builds: tuple[Built, Built]) -> None:
    good, odd = builds

    for account_id, account in good.accounts.items():
        assert odd.accounts[account_id] == account
        for rule_id in (good.verdicts[account_id].keys() | odd.verdicts[account_id].keys()) - ABOUT_OTHERS:
            assert odd.verdicts[account_id].get(rule_id) == good.verdicts[account_id].get(rule_id), rule_id


@pytest.mark.parametrize("name", USER_FIELDS)
def test_an_invalid_field_of_a_user_does_not_affect_other_fields(builds: tuple[Built, Built], name: str) -> None:
    _, odd = builds
    spared = {"userName": "user_name", "email": "email", "lastName": "last_name"}
    spared.pop(name, None)

    for shape in SHAPES:
        account = odd.accounts[f"{name}: {shape}"]
        expected = user(f"{name}: {shape}")
        assert {column: account[column] for column in spared.values()} == {
            column: expected[key] for key, column in spared.items()
        }
        if name not in {"roleId", "role"}:
            assert account["role_id"] == "r-viewer"
        if name != "active":
            assert account["status"] in {"inactive", "pending"}


@pytest.mark.parametrize("name", [name for name, kind in USER_FIELDS.items() if kind == "text"])
def test_a_value_that_is_not_text_becomes_null_and_is_named(builds: tuple[Built, Built], name: str) -> None:
    _, odd = builds

    unreadable = {shape for shape in SHAPES if name in odd.accounts[f"{name}: {shape}"]["unreadable_fields"]}

    assert unreadable == NO_TEXT
    if name in COLUMNS:
        assert all(odd.accounts[f"{name}: {shape}"][COLUMNS[name]] is None for shape in unreadable)
        assert odd.accounts[f"{name}: text like a list"][COLUMNS[name]] == "[External] Bo"
    [warning] = [text for text in odd.warnings if text.startswith(f"prod: {name} cannot be read")]
    assert f"for {len(unreadable)} accounts" in warning


def test_unreadable_groups_do_not_count_as_an_empty_list(builds: tuple[Built, Built]) -> None:
    _, odd = builds

    unreadable = {shape for shape in SHAPES if "groups" in odd.accounts[f"groups: {shape}"]["unreadable_fields"]}

    assert unreadable == SHAPES.keys() - READ_GROUPS
    for shape in unreadable:
        account = odd.accounts[f"groups: {shape}"]
        assert account["group_count"] is None
        assert account["groups"] is None or shape == "a mixed list"
        verdicts = odd.verdicts[f"groups: {shape}"]
        for rule_id in (INACTIVE_WITH_ACCESS, PRIVILEGED_THROUGH_GROUP, EXCESSIVE_GROUPS):
            assert verdicts.get(rule_id) in {"failed", "unknown"}, (rule_id, shape)
    assert set(odd.accounts["groups: a mixed list"]["groups"].split("; ")) == {"5", "Sales"}
    assert any(
        text.startswith(f"prod: groups cannot be read, so it is not evaluated, for {len(unreadable)} accounts")
        for text in odd.warnings
    )


def test_an_unreadable_role_is_unclassified_and_only_booleans_are_a_status(
    builds: tuple[Built, Built],
) -> None:
    _, odd = builds

    for shape in SHAPES:
        verdicts = odd.verdicts[f"roleId: {shape}"]
        assert verdicts[UNCLASSIFIED_ROLE] == "failed"
        assert odd.accounts[f"roleId: {shape}"]["privileged"]
    status = {shape: odd.accounts[f"active: {shape}"]["status"] for shape in SHAPES}
    assert {shape for shape, value in status.items() if value == "active"} == {"true", "the word true"}
    assert {shape for shape, value in status.items() if value == "inactive"} == {"false"}
    assert {value for shape, value in status.items() if shape not in {"true", "false", "the word true"}} == {
        "unknown"
    }


@pytest.mark.parametrize("name", ["lastLogin", "lastActivity"])
def test_an_unreadable_time_is_not_never(builds: tuple[Built, Built], name: str) -> None:
    _, odd = builds
    other = {"lastLogin": "lastActivity", "lastActivity": "lastLogin"}[name]

    for shape in SHAPES:
        account = odd.accounts[f"{name}: {shape}"]
        assert account["last_seen_field"] in {None, other}
        if name == "lastLogin":
            is_absent = shape in {"null", "empty text", "a blank"}
            assert account["login_state"] == ("never" if is_absent else "unknown"), shape


def test_unreadable_members_do_not_make_a_group_empty(builds: tuple[Built, Built]) -> None:
    _, odd = builds

    for shape in SHAPES:
        group = odd.groups[f"users: {shape}"]
        if group["has_unreadable_members"] and not group["member_count"]:
            assert odd.group_verdicts[f"users: {shape}"][EMPTY_GROUP] == "unknown", shape
    assert odd.groups["users: an empty object"]["has_unreadable_members"]
    assert not odd.groups["users: a list of text"]["has_unreadable_members"]
    for name in ("name", "roleId", "defaultRole"):
        assert odd.groups[f"{name}: an empty object"]["carries_privileged"] is None


UNIDENTIFIED = [
    Case("a record without a usable id", f"its _id is {given}", "PARTIAL, and its page and place are named", content)
    for given, content in {
        "absent": {"userName": "x"},
        "null": {"_id": None},
        "empty text": {"_id": ""},
        "true": {"_id": True},
        "a list": {"_id": ["x"]},
        "an object": {"_id": {"$oid": "x"}},
    }.items()
] + [
    Case(
        "an element that is no record",
        f"{given} among the records",
        "PARTIAL, and its page and place are named",
        content,
    )
    for given, content in {"null": None, "text": "x", "a list": [], "a number": 7}.items()
]


@each(UNIDENTIFIED)
@pytest.mark.parametrize("resource", ["users", "roles", "groups"])
def test_a_record_without_an_id_makes_the_extract_partial_and_keeps_the_others(
    case: Case, resource: str, models: list[Model], tmp_path: Path
) -> None:
    lists = {"users": good_users(), "roles": list(ROLES), "groups": list(GROUPS)}
    lists[resource].insert(1, case.content)
    opened: Callable[..., AbstractContextManager[House]] = open_house.__wrapped__()  # type: ignore[attr-defined]

    with opened(tmp_path / "house", models) as house:
        source = Source(
            decoded(lists["users"]),
            decoded(lists["roles"]),
            decoded(lists["groups"]),
            outcome={"server_counts": {"users_before": None, "users_after": None}},
        )
        snapshot = house.land(SNAPSHOT, {"prod": source})
        kept = house.rows(f"select count(*) from raw.{resource}")

    assert snapshot.completeness == "PARTIAL"
    assert f"record 2 on page 1 of {resource}" in str(snapshot.reason)
    assert kept == [(len(lists[resource]),)]
