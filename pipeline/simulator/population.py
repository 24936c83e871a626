"""The synthetic organisation, and the answer key: which findings the rules must report for it, and no others.

The same (accounts, seed, anchor) gives the same bytes. The number of planted conditions does not grow with the
organisation; all other accounts are clean. Organisations under 500 accounts have room for one condition of each of
the first rules, those under 100 for some of these and for no managers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.simulator import names, planting
from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.staffing import CALLER, DOMAIN, Person, PlantedFinding, Staffing

if TYPE_CHECKING:
    from pipeline.simulator.objects import Objects, ObjectSizes

__all__ = ["CALLER", "DOMAIN", "SMALLEST", "PlantedFinding", "Population", "build"]

SMALLEST = 20
"""The least number of accounts: administrators, registered accounts and a few conditions need them."""

# at most this many members are listed for the two groups of all accounts, to keep large answers usable
_BUILTIN_MEMBERS = 50_000


@dataclass(frozen=True)
class Population:
    """One synthetic organisation, complete.

    ``users``, ``roles`` and ``groups`` are records as in the API, in the order of their ids. ``members`` is the group
    side of membership: account ids of each group id. ``planted`` is the answer key by rule id. ``login_states`` and
    ``statuses`` count all accounts as the contract defines the two words. ``midnight`` is the start of the anchor's
    day (UTC). ``objects`` are made when they are first used.
    """

    users: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    members: dict[str, list[str]]
    planted: dict[str, tuple[PlantedFinding, ...]]
    login_states: dict[str, int]
    statuses: dict[str, int]
    people: Sequence[Person]
    policy: dict[str, str]
    seed: int
    midnight: datetime
    object_sizes: ObjectSizes | None = None

    @cached_property
    def sizes(self) -> ObjectSizes:
        """Return how many dashboards, models, shares and row rules there are."""
        from pipeline.simulator.objects import ObjectSizes

        return self.object_sizes or ObjectSizes.for_accounts(len(self.users))

    @cached_property
    def objects(self) -> Objects:
        """Return the dashboards, models and settings."""
        from pipeline.simulator.objects import build_objects  # most runs never use them

        return build_objects(self)

    def roster_csv(self) -> str:
        """Return the roster: every person, in the columns of the contract's section 6."""
        return _csv([f.name for f in fields(Person)], (astuple(person) for person in self.people))

    def policy_files(self) -> dict[str, str]:
        """Return the policy files by file name."""
        return {**self.policy, "objects.csv": self.objects.labels_csv()}

    def planted_csv(self) -> str:
        """Return the answer key, one row per finding. Cells are empty if a finding has no account or subject."""
        rows = (
            (rule_id, item.severity, item.account_id, item.subject, item.status, item.detail)
            for rule_id, items in sorted(self.planted.items())
            for item in items
        )
        return _csv(["rule_id", "severity", "account_id", "subject", "status", "detail"], rows)


def build(accounts: int, seed: int, anchor: datetime, object_sizes: ObjectSizes | None = None) -> Population:
    """Build an organisation of exactly this many accounts, including the caller's own.

    ``anchor`` is an aware time. All ages are counted back from its midnight (UTC). Without ``object_sizes`` the
    number of dashboards and models follows from the number of accounts.

    Raises:
        ValueError: fewer than :data:`SMALLEST` accounts, or a time without a zone.
    """
    if accounts < SMALLEST:
        raise ValueError(f"a population has at least {SMALLEST} accounts, not {accounts}")
    if anchor.tzinfo is None:
        raise ValueError("the anchor needs a time zone")
    org = Staffing(accounts, seed, anchor)
    if org.size >= planting.ROOM_FOR_ONE_EACH:
        _appoint_managers(org)
    planting.plant(org)
    _fill(org)
    _record_administrators(org)
    org.users.sort(key=_by_id)
    org.groups.sort(key=_by_id)
    statuses = _statuses(org)
    members = _members(org)
    _record_empty_groups(org, members)
    return Population(
        users=org.users,
        roles=org.roles,
        groups=org.groups,
        members=members,
        planted={rule_id: tuple(items) for rule_id, items in org.planted.items()},
        login_states={"seen": accounts - sum(org.login_states.values()), **org.login_states},
        statuses=statuses,
        people=org.people,
        policy=_policy(org),
        seed=seed,
        midnight=org.midnight,
        object_sizes=object_sizes,
    )


def _by_id(item: dict[str, Any]) -> str:
    return str(item["_id"])


def _appoint_managers(org: Staffing) -> None:
    for titles in org.units:
        for department in {id(t.department): t.department for t in titles}.values():
            hire = org.hire(department.titles[0])
            hire.person.title = f"Head of {department.name}"
            hire.user["groups"] = [g for g in hire.user["groups"] if g != department.titles[0].group_id]
            department.manager_email = hire.person.email
    hire = org.hire(org.titles["Account Executive"])
    org.platform.manager_email = hire.person.email


def _fill(org: Staffing) -> None:
    """Hire ordinary people by share until the organisation has its size; one in twelve has left again."""
    missing = org.size - len(org.users)
    slots = [[title for title in titles for _ in range(title.share)] for titles in org.units]
    hostile = iter(names.HOSTILE)
    draw = org.rng.random
    for number in range(missing):
        titles = slots[number // 50 % len(slots)]
        title = titles[number * 7 % 50]
        if (name := next(hostile, None)) is not None:
            org.hire(title, name=name)
        elif draw() < 0.08:
            org.retire(title)
        else:
            org.hire(title)


def _record_administrators(org: Staffing) -> None:
    """Record the finding on the source if its fixed number of administrators is too high for its size."""
    ranks = {role["_id"]: org.role_specs[role["name"]].rank or 0 for role in org.roles}
    active = [user for user in org.users if user.get("active")]
    registered = {row[0] for row in (*org.service_accounts, *org.break_glass)}
    administrators = sum(
        1 for user in active if ranks.get(user.get("roleId"), 0) >= 90 and user["userName"] not in registered
    )
    most = max(4.0, 0.02 * len(active))
    if administrators > most:
        severity = "high" if administrators >= 2 * most else "medium"
        org.plant(PlantedRule.TOO_MANY_ADMINS, severity, None, detail=f"{administrators} of {len(active)}")


def _record_empty_groups(org: Staffing, members: dict[str, list[str]]) -> None:
    """Record a finding for each empty group: the two planted ones, and those that a small staff leaves empty."""
    privileged = {role["_id"] for role in org.roles if org.role_specs[role["name"]].privileged}
    for group in org.groups:
        if not members[group["_id"]]:
            severity = "medium" if group["roleId"] in privileged else "low"
            org.plant(PlantedRule.EMPTY_GROUP, severity, None, subject=group["_id"], detail=group["name"])


def _statuses(org: Staffing) -> dict[str, int]:
    counts = {"active": 0, "inactive": 0, "pending": 0, "unknown": 0}
    for user in org.users:
        if "active" not in user:
            counts["unknown"] += 1
        elif user["active"]:
            counts["active"] += 1
        else:
            counts["pending" if "pendingExpiration" in user else "inactive"] += 1
    return counts


def _members(org: Staffing) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {group["_id"]: [] for group in org.groups}
    for user in org.users:
        account_id = user["_id"]
        for group_id in user.get("groups") or ():
            listed = members.get(group_id)
            if listed is not None:
                listed.append(account_id)
    for group_id, account_id in org.unlisted:
        members[group_id].remove(account_id)
    for group_id, account_id in org.listed_only:
        members[group_id].append(account_id)
    administering = {org.role_ids[name] for name in ("super", "admin", "tenantAdmin", "dataAdmin")}
    members[org.group_ids["Admins"]] = [u["_id"] for u in org.users if u.get("roleId") in administering]
    everybody = [user["_id"] for user in org.users[:_BUILTIN_MEMBERS]]
    members[org.group_ids["Everyone"]] = everybody
    members[org.group_ids["All users in system"]] = everybody
    return members


def _policy(org: Staffing) -> dict[str, str]:
    files = {
        "service_accounts.csv": _csv(["user_name", "owner_email", "purpose", "review_by"], org.service_accounts),
        "break_glass.csv": _csv(["email", "owner_email", "purpose"], org.break_glass),
        "roles.csv": _csv(["role_name", "rank", "privileged"], [("custom_auditReader", 10, "false")]),
        "exceptions.csv": _csv(
            ["rule_id", "source", "subject", "reason", "approved_by", "expires_on"], org.exceptions
        ),
        "out_of_scope.csv": _csv(["source", "subject", "reason", "approved_by"], org.out_of_scope),
    }
    if org.is_full:
        files["privileged_groups.csv"] = _csv(["group_name"], [("Emergency Access",)])
        files["sod_pairs.csv"] = _csv(
            ["left_type", "left_name", "right_type", "right_name", "reason"],
            [("group", "Finance Payments", "group", "Finance Approvals", "payments need a second person")],
        )
    return files


def _csv(header: list[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
