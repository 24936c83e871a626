"""What cannot be read is never passed: every rule, on accounts and groups that fail it until a field is spoiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest

from pipeline.warehouse.checks import bound
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.conftest import House, Source, open_house, user

BREAK_GLASS_USED = rule("Break-glass account used")
CONTRACT_EXPIRED = rule("Contract ended or without an end date")
DANGLING_REFERENCE = rule("Reference to a missing role or group")
DUPLICATE_ACCOUNTS = rule("Duplicate accounts")
EXCESSIVE_GROUPS = rule("Far more groups than peers")
EXTERNAL_DOMAIN = rule("External e-mail domain")
INACTIVE_WITH_ACCESS = rule("Inactive account with access")
LEAVER_ACTIVE = rule("Leaver still active")
LEAVER_LOGIN_AFTER_END = rule("Used after the last day")
MEMBERSHIP_DISAGREEMENT = rule("Inconsistent group membership")
MISSING_EMAIL = rule("Missing e-mail address")
NEVER_LOGGED_IN = rule("Account never used")
NEW_PRIVILEGED_ACCOUNT = rule("New privileged account")
ORPHANED_ACCOUNT = rule("Orphaned account")
PRIVILEGED_GROUP_GROWTH = rule("Growing privileged group")
PRIVILEGED_THROUGH_GROUP = rule("Privileged through a group")
RARE_GROUP_MEMBERSHIP = rule("Rare group")
REACTIVATED_ACCOUNT = rule("Reactivated account")
ROLE_RAISED = rule("Role raised since the baseline")
ROSTER_DRIFT = rule("Name or address differs from the roster")
SEVERAL_ACCOUNTS_ONE_PERSON = rule("Several accounts, one person")
SHARED_ACCOUNT = rule("Possibly shared account")
SOD_CONFLICT = rule("Segregation of duties conflict")
STALE_ACCOUNT = rule("Stale account")
STALE_INVITATION = rule("Stale invitation")
STALE_PRIVILEGED_ACCOUNT = rule("Stale privileged account")
UNCLASSIFIED_ROLE = rule("Unclassified role")
USER_NAME_REUSED = rule("Reused user name")

BASELINE = "20251101T000000Z-0001"
AS_OF = datetime(2026, 1, 1, 0, 1)  # noqa: DTZ001 - UTC, as stored
OLD = "2025-01-01T00:00:00.000Z"
PEERS = [f"peer{number}" for number in range(8)]
ROLES = [
    {"_id": "r-admin", "name": "admin"},
    {"_id": "r-viewer", "name": "consumer"},
    {"_id": "r-designer", "name": "contributor"},
]
MANY = [f"g-{number}" for number in range(9)]
GROUPS: list[dict[str, Any]] = [
    {"_id": "g-all", "name": "Everyone"},
    {"_id": "g-sales", "name": "Sales", "users": []},
    {"_id": "g-ops", "name": "Ops"},
    {"_id": "g-carries", "name": "Carriers", "roleId": "r-admin"},
    *({"_id": group, "name": f"Group {group}"} for group in MANY),
]
#: One account for each way to fail a rule.
FAILING: dict[str, dict[str, Any]] = {
    "leaver": {},
    "leaver2": {"lastLogin": "2025-05-01T00:00:00Z", "lastActivity": "2025-12-20T00:00:00Z"},
    "unused": {"lastLogin": OLD},
    "unusedadmin": {"lastLogin": OLD, "roleId": "r-admin"},
    "never": {"lastLogin": None},
    "invited": {"lastLogin": None, "active": False, "pendingExpiration": "2024-02-01T00:00:00Z"},
    "orphan": {"userName": "orphan", "email": "orphan@gmail.com"},
    "off": {"active": False, "lastUpdated": OLD, "lastLogin": OLD, "groups": ["g-all", "g-sales"]},
    "back": {},
    "raised": {"roleId": "r-admin"},
    "renamed": {"userName": "taken@example.com"},
    "twin": {"groups": ["g-all"]},
    "twintoo": {"email": "twin@example.com", "roleId": "r-admin"},
    "twinthree": {"email": "twin@example.com"},
    "info": {"firstName": None, "lastName": None},
    "drifted": {"lastName": "Elsewhere"},
    "nomail": {"email": None},
    "dangling": {"roleId": "r-gone", "groups": ["g-all", "g-gone"]},
    "inops": {"groups": ["g-all", "g-ops"]},
    "newops": {"groups": ["g-all", "g-ops", "g-carries"]},
    "newopstoo": {"groups": ["g-all", "g-ops", "g-carries"]},
    "conflict": {"groups": ["g-all", "g-ops", "g-sales"]},
    "rolesides": {"groups": ["g-all", "g-sales"], "roleId": "r-designer"},
    "glass": {"lastLogin": OLD, "lastActivity": "2025-12-20T00:00:00Z"},
    "everywhere": {"groups": ["g-all", *MANY]},
}
#: What differs in the baseline.
EARLIER: dict[str, dict[str, Any]] = {
    "back": {"active": False},
    "raised": {"roleId": "r-viewer"},
    "renamed": {"userName": "renamed@example.com"},
    "glass": {"lastActivity": None},
    "newops": {"groups": ["g-all"]},
    "newopstoo": {"groups": ["g-all"]},
    "conflict": {"groups": ["g-all"]},
}
ENDED = {"leaver", "leaver2"}
USER_FIELDS = (
    "userName", "email", "firstName", "lastName", "principalName", "objectSid", "dn", "tenantId", "activeDirectory",
    "createdSso", "lastLogin", "lastActivity", "created", "lastUpdated", "roleId", "groups", "active",
)  # fmt: skip
GROUP_FIELDS = ("name", "roleId", "defaultRole", "users")
#: Rules that the accounts here fail; one that is missing says that this test has gone blind to it.
COVERED = {
    BREAK_GLASS_USED, CONTRACT_EXPIRED, DANGLING_REFERENCE, DUPLICATE_ACCOUNTS, EXCESSIVE_GROUPS,
    EXTERNAL_DOMAIN, INACTIVE_WITH_ACCESS, LEAVER_ACTIVE, LEAVER_LOGIN_AFTER_END, MISSING_EMAIL,
    NEVER_LOGGED_IN, NEW_PRIVILEGED_ACCOUNT, ORPHANED_ACCOUNT, PRIVILEGED_GROUP_GROWTH,
    PRIVILEGED_THROUGH_GROUP, REACTIVATED_ACCOUNT, ROLE_RAISED, ROSTER_DRIFT, SEVERAL_ACCOUNTS_ONE_PERSON,
    SHARED_ACCOUNT, SOD_CONFLICT, STALE_ACCOUNT, STALE_INVITATION, STALE_PRIVILEGED_ACCOUNT,
    UNCLASSIFIED_ROLE, USER_NAME_REUSED,
}  # fmt: skip
#: What is examined elsewhere once a field cannot be read: by the field, the rule and where.
ELSEWHERE = {
    ("user", "userName", BREAK_GLASS_USED): "the policy's line matches no account, which is a warning",
    (
        "user",
        "email",
        SEVERAL_ACCOUNTS_ONE_PERSON,
    ): "whose the other accounts are is unknown, and so are their own results",
    ("user", "lastLogin", STALE_INVITATION): "somebody may have logged in, so that it is no invitation any more",
    ("user", "lastActivity", STALE_INVITATION): "somebody may have logged in, so that it is no invitation any more",
    ("user", "roleId", STALE_ACCOUNT): f"it counts as privileged: {STALE_PRIVILEGED_ACCOUNT}",
    ("user", "roleId", PRIVILEGED_THROUGH_GROUP): f"it counts as privileged by its own role: {UNCLASSIFIED_ROLE}",
    ("user", "roleId", DANGLING_REFERENCE): f"there is no id that could name nothing: {UNCLASSIFIED_ROLE}",
    ("user", "groups", DANGLING_REFERENCE): "there is no id that could name nothing: the build's warning",
    ("user", "groups", RARE_GROUP_MEMBERSHIP): f"there is no membership to examine: {EXCESSIVE_GROUPS}",
    ("user", "groups", MEMBERSHIP_DISAGREEMENT): f"there is no membership to examine: {EXCESSIVE_GROUPS}",
}
#: The fields that are spoiled: of accounts and of groups. Each has a source of its own, whose people no other has.
SPOILED = {f"{kind}_{name}".lower(): (kind, name) for kind, fields in (("user", USER_FIELDS), ("group", GROUP_FIELDS))
           for name in fields}  # fmt: skip
#: A rule and the key of what it examines.
Member = tuple[str, tuple[Any, ...]]
Verdicts = dict[Member, str]


def marked(address: str, source: str) -> str:
    """Return the address that a person of this source has instead. A mailbox of several people keeps its name."""
    return address if address.startswith("info@") else address.replace("@", f".{source}@")


ROSTER = "email,display_name,employment_status,end_date,person_type\n" + "".join(
    f"{marked(f'{name}@example.com', source)},Test {name.title()},"
    + ("ended,2025-06-01,contractor\n" if name in ENDED else "active,,employee\n")
    for source in SPOILED
    for name in [*PEERS, *FAILING]
    if name not in {"orphan", "twintoo", "twinthree", "info"}
)
POLICY = {
    "privileged_groups.csv": "group_name\nOps\n",
    "break_glass.csv": "user_name,owner_email,purpose\n"
    + "".join(
        f"{marked('glass@example.com', source)},{marked('peer0@example.com', source)},Emergencies\n"
        for source in SPOILED
    ),
    "sod_pairs.csv": "left_type,left_name,right_type,right_name,reason\n"
    "group,Ops,group,Sales,Four eyes\nrole,Designer,group,Sales,Four eyes\n",
}


def record(source: str, name: str, **fields: Any) -> dict[str, Any]:
    found = user(name, **fields)
    return found | {key: found[key] and marked(found[key], source) for key in ("userName", "email")}


def records(source: str, fields: Mapping[str, Mapping[str, Any]], spoiled: str | None = None) -> list[dict[str, Any]]:
    found = [record(source, name) for name in PEERS]
    for name, given in FAILING.items():
        found.append(record(source, name, **given | dict(fields.get(name, {}))))
        if spoiled:
            found[-1][spoiled] = {"odd": name}
    return found


def judged(house: House, models: list[Model]) -> Verdicts:
    """Return what each rule says of each member of its population."""
    found: Verdicts = {}
    for model in (model for model in models if model.is_rule):
        population = house.connection.execute(
            f"select * from ({model.population}\n)",
            bound(house.connection, model.population, {"as_of": AS_OF, **model.params}),
        )
        keys = ", ".join(column[0] for column in population.description)
        found |= {(model.name, row): "passed" for row in population.fetchall()}
        # 'failed' comes last where a member has several rows
        for *key, verdict in house.rows(f"select {keys}, verdict from {model.table} order by verdict desc"):
            found[model.name, tuple(key)] = verdict
    return found


def play(house: House, models: list[Model], number: int, sources: Mapping[str, Source]) -> Verdicts:
    snapshot = house.land(f"20260101T000000Z-{number:04x}", sources)
    house.build(snapshot, roster=ROSTER, policy=POLICY, baseline=BASELINE, as_of=AS_OF)
    return judged(house, models)


@pytest.fixture(scope="module")
def house(models: list[Model], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened: Callable[..., AbstractContextManager[House]] = open_house.__wrapped__()  # type: ignore[attr-defined]
    judging = [model for model in models if model.schema != "reports"]
    with opened(tmp_path_factory.mktemp("unreadable") / "house", judging) as house:
        earlier = {}
        for source in SPOILED:
            found = [each for each in records(source, EARLIER) if each["_id"] != "twinthree"]
            earlier[source] = Source([*found, record(source, "gone", userName="taken@example.com")], ROLES, GROUPS)
        house.build(house.land(BASELINE, earlier), roster=ROSTER, policy=POLICY)
        yield house


@pytest.fixture(scope="module")
def failed(house: House, models: list[Model]) -> set[Member]:
    """Return what fails while everything can be read."""
    readable = {source: Source(records(source, {}), ROLES, GROUPS) for source in SPOILED}
    found = {member for member, verdict in play(house, models, 1, readable).items() if verdict == "failed"}
    assert found == {member for source in SPOILED for member in of_source(found, source)}
    return found


@pytest.fixture(scope="module")
def spoiled(house: House, models: list[Model], failed: set[Member]) -> Verdicts:
    """Return what the rules say when each source spoils its field."""
    sources = {}
    for source, (kind, name) in SPOILED.items():
        users = records(source, {}, spoiled=name if kind == "user" else None)
        groups = GROUPS if kind == "user" else [{**group, name: {"odd": True}} for group in GROUPS]
        sources[source] = Source(users, ROLES, groups)
    return play(house, models, 2, sources)


def of_source(members: set[Member], source: str) -> set[Member]:
    """Return the members that belong to a source, or are its people."""
    return {
        (rule, key)
        for rule, key in members
        if any(part == source or f".{source}@" in str(part).casefold() for part in key)
    }


@pytest.mark.parametrize("source", SPOILED)
def test_what_failed_does_not_pass_when_a_field_is_unreadable(
    failed: set[Member], spoiled: Verdicts, source: str
) -> None:
    own = of_source(failed, source)
    kind, name = SPOILED[source]
    results = {(spoiled.get(member, "not examined"), member) for member in own}

    assert {rule for rule, _ in own} >= COVERED
    assert {
        (result, member)
        for result, member in results
        if result not in {"failed", "unknown"} and (kind, name, member[0]) not in ELSEWHERE
    } == set()
