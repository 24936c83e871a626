"""A reviewer who knows every rule: says what the rules must find in a population.

It reads the records of the API, the roster and the policy files, applies each rule in plain Python, and shares no
code with the planting.
"""

from __future__ import annotations

import csv
import io
import math
import re
import statistics
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.population import Population

RANKS = {"super": 100, "admin": 90, "tenantadmin": 80, "dataadmin": 70}
RANKS |= {"datadesigner": 50, "contributor": 30, "consumer": 10}
BUILT_IN = {"Everyone", "Admins", "All users in system"}
EVERYBODY = {"Everyone", "All users in system"}
SHARED = {"info", "reporting", "support", "admin", "sales", "team", "analytics", "dashboards"}
FREE_MAIL = {"gmail.com", "outlook.com"}
Finding = tuple[str, str, str | None, str | None]
"""Rule, severity, account and what else the rule is about."""


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def parse(value: Any, latest: datetime) -> tuple[str, datetime | None]:
    """``none`` where there is no value, ``junk`` where it is not to be trusted, else ``ok`` with the moment."""
    if value is None or value == "":
        return "none", None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return "junk", None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment.year < 1990 or moment > latest:
        return "junk", None
    return "ok", moment


def local_part(address: str) -> str:
    return address.partition("@")[0]


def normalised(address: str) -> str:
    local, _, domain = address.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def manages(node: Any, *, inside: bool = False) -> bool:
    if not isinstance(node, dict):
        return False
    for key, value in node.items():
        area = key.lower() in {"users", "groups", "tenants"}
        if area and value is True:
            return True
        if inside and value is True and re.match(r"create|add|edit|update|modify|delete|manage", key, re.IGNORECASE):
            return True
        if manages(value, inside=inside or area):
            return True
    return False


def wilson_upper(k: int, n: int) -> float:
    z, p = 1.959964, k / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre + spread) / (1 + z * z / n)


class Reviewer:
    def __init__(self, population: Population, as_of: datetime) -> None:
        self.as_of = as_of
        self.users = population.users
        self.groups = {group["_id"]: group for group in population.groups}
        self.members = population.members
        policy = {name: rows(text) for name, text in population.policy_files().items()}
        ranked = {row["role_name"].lower(): row for row in policy["roles.csv"]}
        self.rank: dict[str, int | None] = {}
        self.role_privileged: dict[str, bool] = {}
        self.edited = set()
        for role in population.roles:
            name, base = role["name"].lower(), (role["baseRoleName"] or "").lower()
            rank = int(ranked[name]["rank"]) if name in ranked else RANKS.get(name, RANKS.get(base))
            can_manage = manages(role["manifest"])
            self.rank[role["_id"]] = rank
            self.role_privileged[role["_id"]] = rank is None or rank >= 70 or can_manage
            if name in RANKS and RANKS[name] < 70 and can_manage:
                self.edited.add(role["_id"])
        self.people = rows(population.roster_csv())
        self.service = {row["user_name"].lower(): row for row in policy["service_accounts.csv"]}
        self.break_glass = {row["email"].lower() for row in policy["break_glass.csv"]}
        self.listed_groups = {row["group_name"] for row in policy.get("privileged_groups.csv", [])}
        self.pairs = policy.get("sod_pairs.csv", [])

    # facts about one account ---------------------------------------------------------------------------

    def days_ago(self, value: Any) -> float | None:
        state, moment = parse(value, self.as_of + timedelta(hours=24))
        return None if state != "ok" or moment is None else (self.as_of - moment).total_seconds() / 86_400

    def last_seen(self, user: dict[str, Any]) -> tuple[str, datetime | None]:
        found = [parse(user.get(key), self.as_of + timedelta(hours=24)) for key in ("lastLogin", "lastActivity")]
        moments = [moment for _, moment in found if moment is not None]
        if moments:
            return "seen", max(moments)
        return ("unknown" if any(state == "junk" for state, _ in found) else "never"), None

    def status(self, user: dict[str, Any]) -> str:
        if not isinstance(user.get("active"), bool):
            return "unknown"
        if user["active"]:
            return "active"
        return "pending" if self.last_seen(user)[0] == "never" and "pendingExpiration" in user else "inactive"

    def privileged(self, user: dict[str, Any]) -> bool:
        return self.role_privileged.get(user.get("roleId") or "", True)

    def registered(self, user: dict[str, Any]) -> bool:
        names = {(user.get("userName") or "").lower(), (user.get("email") or "").lower()}
        return bool(names & (set(self.service) | self.break_glass))

    def named(self, user: dict[str, Any]) -> bool:
        return bool(user.get("firstName")) and bool(user.get("lastName"))

    @cached_property
    def person_of(self) -> dict[str, dict[str, str] | None]:
        by: dict[str, dict[str, list[dict[str, str]]]] = {
            key: defaultdict(list) for key in ("email", "alias", "plain", "local")
        }
        for person in self.people:
            email = person["email"].lower()
            by["email"][email].append(person)
            by["plain"][normalised(email)].append(person)
            for alias in filter(None, person["aliases"].lower().split(";")):
                by["alias"][alias.strip()].append(person)
            if email.endswith("@example.com"):
                by["local"][local_part(email)].append(person)
        found: dict[str, dict[str, str] | None] = {}
        for user in self.users:
            email, name = (user.get("email") or "").lower(), (user.get("userName") or "").lower()
            steps = [by["email"][email], by["alias"][email], by["plain"][normalised(email)] if email else []]
            steps.append(by["email"][name] or by["local"][name])
            candidates = next((step for step in steps if step), [])
            found[user["_id"]] = candidates[0] if len(candidates) == 1 else None
        return found

    @cached_property
    def active(self) -> list[dict[str, Any]]:
        return [user for user in self.users if self.status(user) == "active"]

    def human(self, user: dict[str, Any]) -> bool:
        if self.registered(user):
            return False
        if self.person_of[user["_id"]] is not None:
            return True
        return local_part(user["userName"]).lower() not in SHARED and self.named(user)

    @cached_property
    def sides(self) -> dict[str, dict[str, set[str]]]:
        """For each account the ordinary groups that it names, and those that name it."""
        found: dict[str, dict[str, set[str]]] = {u["_id"]: {"user": set(), "group": set()} for u in self.users}
        for user in self.users:
            found[user["_id"]]["user"] = {
                g for g in user.get("groups") or [] if g in self.groups and self.groups[g]["name"] not in BUILT_IN
            }
        for group_id, members in self.members.items():
            if self.groups[group_id]["name"] not in BUILT_IN:
                for member in members:
                    found[member]["group"].add(group_id)
        return found

    def groups_of(self, user: dict[str, Any]) -> set[str]:
        both = self.sides[user["_id"]]
        return both["user"] | both["group"]

    # the rules -----------------------------------------------------------------------------------------

    def findings(self) -> set[Finding]:
        found: set[Finding] = set()
        for user in self.users:
            status = self.status(user)
            found.update((rule, severity, user["_id"], None) for rule, severity in self.any_status(user))
            found.update((PlantedRule.DANGLING_REFERENCE, "medium", user["_id"], ref) for ref in self.dangling(user))
            if status == "active":
                found.update((rule, severity, user["_id"], None) for rule, severity in self.when_active(user))
            if status == "inactive" and (severity := self.access_left(user)):
                found.add((PlantedRule.INACTIVE_WITH_ACCESS, severity, user["_id"], None))
            if status == "pending" and (self.days_ago(user.get("created")) or 0) > 14:
                found.add((PlantedRule.STALE_INVITATION, "low", user["_id"], None))
        found.update((PlantedRule.EDITED_BUILTIN_ROLE, "high", None, role_id) for role_id in self.edited)
        return found | self.administrators() | self.group_rules() | self.person_rules()

    def any_status(self, user: dict[str, Any]) -> list[tuple[str, str]]:
        found = []
        if self.rank.get(user.get("roleId") or "") is None:
            found.append((PlantedRule.UNCLASSIFIED_ROLE, "medium"))
        person, (_, seen) = self.person_of[user["_id"]], self.last_seen(user)
        if person and person["end_date"] and seen and seen.date() > date.fromisoformat(person["end_date"]):
            found.append((PlantedRule.LEAVER_LOGIN_AFTER_END, "critical"))
        if person and self.drifts(user, person):
            found.append((PlantedRule.ROSTER_DRIFT, "low"))
        registration = self.service.get(user["userName"].lower())
        if registration:
            overdue = date.fromisoformat(registration["review_by"]) < self.as_of.date()
            if overdue or not registration["owner_email"] or not registration["purpose"]:
                found.append((PlantedRule.UNREVIEWED_SERVICE_ACCOUNT, "high" if self.privileged(user) else "medium"))
        return found

    def drifts(self, user: dict[str, Any], person: dict[str, str]) -> bool:
        addresses = {person["email"].lower(), *(a.strip() for a in person["aliases"].lower().split(";"))}
        if user.get("email") and user["email"].lower() not in addresses:
            return True
        name = f"{user.get('firstName')} {user.get('lastName')}"
        return name.casefold() != person["display_name"].casefold()

    def dangling(self, user: dict[str, Any]) -> list[str]:
        role_id = user.get("roleId")
        lost = [role_id] if role_id and role_id not in self.rank else []
        return lost + [group_id for group_id in user.get("groups") or [] if group_id not in self.groups]

    def when_active(self, user: dict[str, Any]) -> list[tuple[str, str]]:
        found = []
        privileged, (state, seen) = self.privileged(user), self.last_seen(user)
        idle = None if seen is None else (self.as_of - seen).total_seconds() / 86_400
        if state == "unknown":
            found.append((PlantedRule.LOGIN_UNKNOWN, "info"))
        if idle is not None and not privileged and idle > 90:
            found.append((PlantedRule.STALE_ACCOUNT, "high" if idle > 180 else "medium"))
        if idle is not None and privileged and idle > 45:
            found.append((PlantedRule.STALE_PRIVILEGED_ACCOUNT, "critical" if idle > 90 else "high"))
        age = self.days_ago(user.get("created"))
        if state == "never" and (age is None or age > (14 if privileged else 30)):
            found.append((PlantedRule.NEVER_LOGGED_IN, "high" if privileged else "medium"))
        found += self.as_a_person(user)
        local, domain = (
            local_part(user.get("email") or "").lower(),
            (user.get("email") or "").lower().partition("@")[2],
        )
        if domain and domain != "example.com":
            severity = "high" if privileged or (self.rank.get(user["roleId"]) or 0) >= 30 else "medium"
            found.append(
                (PlantedRule.EXTERNAL_DOMAIN, "critical" if privileged and domain in FREE_MAIL else severity)
            )
        if not domain and self.human(user):
            found.append((PlantedRule.MISSING_EMAIL, "low"))
        if not self.registered(user):
            if (
                local in SHARED
                or local_part(user["userName"]).lower() in SHARED
                or not (user.get("firstName") or user.get("lastName"))
            ):
                found.append((PlantedRule.SHARED_ACCOUNT, "high" if privileged else "medium"))
            if self.mostly_sso and not user["createdSso"] and not user["activeDirectory"]:
                found.append((PlantedRule.LOCAL_ACCOUNT_BESIDE_SSO, "high" if privileged else "medium"))
        return found

    @cached_property
    def mostly_sso(self) -> bool:
        return sum(1 for u in self.users if u["createdSso"] or u["activeDirectory"]) > len(self.users) / 2

    def as_a_person(self, user: dict[str, Any]) -> list[tuple[str, str]]:
        person = self.person_of[user["_id"]]
        if person is None:
            return [] if self.registered(user) else [(PlantedRule.ORPHANED_ACCOUNT, "high")]
        found = []
        ended = bool(person["end_date"]) and date.fromisoformat(person["end_date"]) <= self.as_of.date()
        if person["employment_status"] == "ended" or ended:
            found.append((PlantedRule.LEAVER_ACTIVE, "critical"))
        if person["person_type"] == "contractor" and (ended or not person["end_date"]):
            found.append((PlantedRule.CONTRACT_EXPIRED, "high" if ended else "low"))
        return found

    def access_left(self, user: dict[str, Any]) -> str | None:
        since = self.days_ago(user.get("lastUpdated"))
        if since is None:
            _, seen = self.last_seen(user)
            since = 0.0 if seen is None else (self.as_of - seen).total_seconds() / 86_400
        in_groups = any(
            self.groups[g]["name"] not in EVERYBODY for g in [*(user.get("groups") or [])] if g in self.groups
        ) or any(user["_id"] in self.members[g] for g, group in self.groups.items() if group["name"] not in EVERYBODY)
        if since > 30 and (in_groups or (self.rank.get(user.get("roleId") or "") or 0) > 10):
            return "medium" if self.privileged(user) else "low"
        return None

    def administrators(self) -> set[Finding]:
        many = sum(1 for u in self.active if self.human(u) and (self.rank.get(u.get("roleId") or "") or 0) >= 90)
        most = max(4, 0.02 * len(self.active))
        found: set[Finding] = set()
        if many > most:
            found.add((PlantedRule.TOO_MANY_ADMINS, "high" if many >= 2 * most else "medium", None, None))
        if many < 2:
            found.add((PlantedRule.TOO_FEW_ADMINS, "low", None, None))
        return found

    def group_rules(self) -> set[Finding]:
        found: set[Finding] = set()
        powerful = {
            g
            for g, group in self.groups.items()
            if self.role_privileged.get(group["roleId"] or "", False) or group["name"] in self.listed_groups
        }
        for user in self.users:
            both = self.sides[user["_id"]]
            found.update(
                (PlantedRule.MEMBERSHIP_DISAGREEMENT, "low", user["_id"], g) for g in both["user"] ^ both["group"]
            )
            if not self.privileged(user):
                found.update(
                    (PlantedRule.PRIVILEGED_THROUGH_GROUP, "medium", user["_id"], g)
                    for g in self.groups_of(user) & powerful
                )
        for group_id, group in self.groups.items():
            is_held = any(group_id in both["user"] | both["group"] for both in self.sides.values())
            if not is_held and group["name"] not in BUILT_IN:
                carries = self.role_privileged.get(group["roleId"] or "", False)
                found.add((PlantedRule.EMPTY_GROUP, "medium" if carries else "low", None, group_id))
        return found

    def person_rules(self) -> set[Finding]:
        found: set[Finding] = set()
        accounts = defaultdict(list)
        held = defaultdict(set)
        for user in self.active:
            if person := self.person_of[user["_id"]]:
                accounts[person["person_id"]].append(user)
                held[person["person_id"]] |= {self.groups[g]["name"] for g in self.groups_of(user)}
        for person_id, own in accounts.items():
            powerful = sum(self.privileged(user) for user in own)
            is_good_practice = len(own) == 2 and powerful == 1
            if len(own) > 1 and not is_good_practice:
                found.update((PlantedRule.DUPLICATE_ACCOUNTS, "medium", user["_id"], person_id) for user in own)
                if powerful:
                    found.update(
                        (PlantedRule.SEVERAL_ACCOUNTS_ONE_PERSON, "medium", u["_id"], person_id) for u in own
                    )
        for pair in self.pairs:
            assert pair["left_type"] == pair["right_type"] == "group"
            for person_id, names in held.items():
                if {pair["left_name"], pair["right_name"]} <= names:
                    found.add((PlantedRule.SOD_CONFLICT, "high", None, person_id))
        return found

    def peer_findings(self) -> set[Finding]:
        """The rules about peers, for accounts that a person is known of."""
        found: set[Finding] = set()
        humans = [u for u in self.active if self.human(u)]
        by_title, by_department = defaultdict(list), defaultdict(list)
        for user in humans:
            if person := self.person_of[user["_id"]]:
                by_title[person["department"], person["title"]].append(user)
                by_department[person["department"]].append(user)
        for user in humans:
            person = self.person_of[user["_id"]]
            if person is None:
                continue
            group = by_title[person["department"], person["title"]]
            if len(group) < 6:
                group = by_department[person["department"]]
            peers = [peer for peer in group if peer is not user]
            assert len(peers) >= 5
            found |= self.compared(user, peers)
        return found

    def compared(self, user: dict[str, Any], peers: list[dict[str, Any]]) -> set[Finding]:
        found: set[Finding] = set()
        n = len(peers)
        if (rank := self.rank.get(user.get("roleId") or "")) is not None:
            k = sum(1 for peer in peers if (self.rank.get(peer.get("roleId") or "") or 0) >= rank)
            if k / n <= 0.15:
                beyond_doubt = self.privileged(user) and wilson_upper(k, n) <= 0.15
                found.add(
                    (PlantedRule.OVER_PRIVILEGED_VS_PEERS, "high" if beyond_doubt else "medium", user["_id"], None)
                )
        counts = Counter(g for peer in peers for g in self.groups_of(peer))
        for group_id in self.groups_of(user):
            if counts[group_id] / n <= 0.15:
                found.add((PlantedRule.RARE_GROUP_MEMBERSHIP, "low", user["_id"], group_id))
        sizes = [len(self.groups_of(peer)) for peer in peers]
        middle = statistics.median(sizes)
        mad = statistics.median(abs(size - middle) for size in sizes)
        own = len(self.groups_of(user))
        if own > middle + 3 * mad and own - middle >= 5:
            found.add((PlantedRule.EXCESSIVE_GROUPS, "low", user["_id"], None))
        return found


ABOUT_PEERS = {PlantedRule.OVER_PRIVILEGED_VS_PEERS, PlantedRule.RARE_GROUP_MEMBERSHIP, PlantedRule.EXCESSIVE_GROUPS}
