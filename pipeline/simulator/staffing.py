"""Hires people into the synthetic organisation and keeps the answer key while it grows.

Ages are whole days back from the anchor's midnight (UTC): a moment ``days`` old lies within the day that began that
many days before the anchor, so at the anchor it is between ``days - 1`` and ``days`` days old.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipeline.simulator import names, organisation
from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.organisation import Department, RoleSpec, Title

__all__ = ["CALLER", "DOMAIN", "Hire", "Person", "PlantedFinding", "Staffing"]

DOMAIN = "example.com"
CALLER = f"svc-access-review@{DOMAIN}"
_STAFF_OF_ONE_UNIT = 5_000
_OLDEST_DAY = 4_000
_PREFERENCES = {"localeId": "en-US"}
_UI_SETTINGS: dict[str, Any] = {}

User = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlantedFinding:
    """One finding that the rule must report. Exactly one row of the answer key.

    ``account_id`` is None if the finding is about a source or a group. ``subject`` is the id of the role, group or
    person that the rule is about besides the account; a rule about people has only this. ``status`` follows from the
    policy files: ``open``, ``accepted_risk`` or ``out_of_scope``.
    """

    severity: str
    account_id: str | None
    subject: str | None = None
    status: str = "open"
    detail: str = ""


@dataclass(slots=True)
class Person:
    """One row of the roster, in the order of its columns. Dates are ISO dates; unknown values are empty."""

    person_id: str
    email: str
    aliases: str
    display_name: str
    manager_email: str
    department: str
    title: str
    employment_status: str
    start_date: str
    end_date: str
    person_type: str


class Hire(NamedTuple):
    """A new account and its person. Both may be changed until the population is finished."""

    user: User
    person: Person


class Staffing:
    """The organisation while it is being built.

    ``is_full`` is true from 500 accounts on, where every condition is planted in full numbers.
    """

    def __init__(self, accounts: int, seed: int, anchor: datetime) -> None:
        self.size = accounts
        self.is_full = accounts >= 500
        self.rng = random.Random(seed)
        self.midnight = anchor.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._epoch = int(self.midnight.timestamp())
        self._dates = [(self.midnight - timedelta(days=d)).strftime("%Y-%m-%d") for d in range(_OLDEST_DAY + 1)]
        self._clock = [
            f"T{6 + s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{self.rng.randrange(1000):03d}Z"
            for s in self.rng.sample(range(14 * 3600), 2_000)
        ]
        self._machine = f"{self.rng.getrandbits(40):010x}"
        self._made = 0
        self._slugs: Counter[str] = Counter()
        self.tenant_id = self.new_id(_OLDEST_DAY)
        self.users: list[User] = []
        self.people: list[Person] = []
        self.planted: dict[str, list[PlantedFinding]] = {}
        self.login_states: Counter[str] = Counter()
        self.roles: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.role_ids: dict[str, str] = {}
        self.role_specs: dict[str, RoleSpec] = {}
        self.group_ids: dict[str, str] = {}
        self.unlisted: set[tuple[str, str]] = set()
        """(group, account) where the account says it is a member and the group does not."""
        self.listed_only: list[tuple[str, str]] = []
        """(group, account) where the group says so and the account does not."""
        self.service_accounts: list[tuple[str, str, str, str]] = []
        self.break_glass: list[tuple[str, str, str]] = []
        self.exceptions: list[tuple[str, str, str, str, str, str]] = []
        self.out_of_scope: list[tuple[str, str, str, str]] = []
        self._make_roles()
        for name in organisation.BUILTIN_GROUPS:
            self.add_group(name)
        units = max(1, accounts // _STAFF_OF_ONE_UNIT)
        self.units = [self._make_unit(number) for number in range(1, units + 1)]
        self.platform = self._make_department(organisation.PRIVILEGED_DEPARTMENT, "")
        self.titles = {title.name: title for title in (*self.units[0], *self.platform.titles)}

    # time ------------------------------------------------------------------------------------------------

    def date(self, days: int) -> str:
        """Return the date ``days`` before the anchor's; a negative number gives a later date."""
        return self._dates[days] if days >= 0 else (self.midnight - timedelta(days=days)).strftime("%Y-%m-%d")

    def moment(self, days: int) -> str:
        """Return some moment of the day that began ``days`` before the anchor's midnight, as the API writes it."""
        return self._dates[days] + self._clock[int(self.rng.random() * 2_000)]

    # objects ---------------------------------------------------------------------------------------------

    def new_id(self, days: int) -> str:
        """Return a new id: 24 hex digits that begin with the second of creation."""
        self._made += 1
        second = self._epoch - days * 86_400 + int(self.rng.random() * 80_000)
        return f"{second:08x}{self._machine}{self._made:06x}"

    def _make_roles(self) -> None:
        for spec in organisation.ROLES:
            role: dict[str, Any] = {
                "_id": self.new_id(_OLDEST_DAY),
                "name": spec.name,
                "displayName": spec.display_name,
                "baseRoleName": spec.base,
                "manifest": spec.manifest,
            }
            self.roles.append(role)
            self.role_ids[spec.name] = role["_id"]
            self.role_specs[spec.name] = spec

    def add_group(self, name: str, role: str | None = None, *, is_directory: bool = False) -> str:
        """Add a group, which may carry a role, and return its id."""
        group: dict[str, Any] = {
            "_id": self.new_id(3_000),
            "name": name,
            "ad": is_directory,
            "roleId": None if role is None else self.role_ids[role],
            "defaultRole": None if role is None else self.role_ids[role],
            "tenantId": self.tenant_id,
            "created": self.moment(3_000),
            "lastUpdated": self.moment(400),
        }
        if is_directory:
            group["dn"] = f"CN={name},OU=Groups,DC=example,DC=com"
            group["objectSid"] = f"S-1-5-21-1004336348-1177238915-{len(self.groups):06d}"
        self.groups.append(group)
        self.group_ids[name] = group["_id"]
        return str(group["_id"])

    def _make_unit(self, number: int) -> list[Title]:
        suffix = "" if number == 1 else f" {number}"
        return [title for plan in organisation.STAFF for title in self._make_department(plan, suffix).titles]

    def _make_department(
        self, plan: tuple[str, bool, tuple[str, str], tuple[tuple[str, str, int], ...]], suffix: str
    ) -> Department:
        name, is_directory, (first, second), titles = plan
        department = Department(name + suffix, is_directory, (first, second))
        department.group_id = self.add_group(f"{department.name} Team", is_directory=is_directory)
        working = [self.add_group(f"{department.name} {work}") for work in (first, second)]
        offices = [self.add_group(f"{department.name} Office {office}") for office in ("North", "South")]
        for title_name, role, share in titles:
            title = Title(title_name, role, department, share)
            # only one of the privileged titles has its role from a group too
            carried = role if share or role == "dataAdmin" else None
            title.group_id = self.add_group(f"{department.name} {title_name}s", carried, is_directory=is_directory)
            title.bundles = tuple(
                [department.group_id, title.group_id, working[turn & 1], offices[turn >> 1]] for turn in range(4)
            )
            department.titles.append(title)
        return department

    # people and accounts ---------------------------------------------------------------------------------

    def ordinary_name(self) -> names.Name:
        """Return a name; one in forty has letters beyond basic Latin, or another script."""
        random_ = self.rng.random
        if random_() < 0.025:
            return names.WORLD[int(random_() * len(names.WORLD))]
        first, first_slug = names.GIVEN[int(random_() * len(names.GIVEN))]
        last, last_slug = names.FAMILY[int(random_() * len(names.FAMILY))]
        return names.Name(first, last, f"{first_slug}.{last_slug}")

    def employ(self, title: Title, name: names.Name, *, tenure: int, domain: str = DOMAIN) -> Person:
        """Add a person to the roster, an employee for ``tenure`` days, with a unique address."""
        self._slugs[name.slug] += 1
        number = self._slugs[name.slug]
        local = name.slug if number == 1 else f"{name.slug}{number}"
        department = title.department
        person = Person(
            f"P{len(self.people) + 1:07d}",
            f"{local}@{domain}",
            "",
            f"{name.first} {name.last}",
            department.manager_email,
            department.name,
            title.name,
            "active",
            self._dates[tenure],
            "",
            "employee",
        )
        self.people.append(person)
        return person

    def hire(
        self,
        title: Title,
        *,
        seen: int | None = None,
        created: int | None = None,
        domain: str = DOMAIN,
        name: names.Name | None = None,
    ) -> Hire:
        """Add a person and an active account with the habits of the title.

        ``seen`` and ``created`` are ages in days. Without them the account is old enough, and was seen so
        recently, that no rule about age or use can fire.
        """
        random_ = self.rng.random
        draw = random_()
        if seen is None:
            # most people come every few days, some every few weeks
            seen = 1 + int((40 if title.share == 0 else 80) * draw * draw * draw)
        if created is None:
            created = seen + 100 + int(2_600 * random_())
        picked = name or self.ordinary_name()
        person = self.employ(title, picked, tenure=created, domain=domain)
        user = self.account(
            title.role,
            person.email,
            (picked.first, picked.last),
            seen=seen,
            created=created,
            department=title.department,
        )
        user["groups"] = title.bundles[title.holders & 3]
        title.holders += 1
        return Hire(user, person)

    def account(
        self,
        role: str,
        email: str,
        name: tuple[str, str] | None = None,
        *,
        seen: int,
        created: int,
        department: Department | None = None,
    ) -> User:
        """Add an active account, last seen and created so many days ago.

        ``name`` is the first and the last name. Without a department the account has a local password.
        """
        random_ = self.rng.random
        by_sso = department is not None and not department.is_directory
        user: User = {
            "_id": self.new_id(created),
            "userName": email,
            "email": email.title() if random_() < 0.1 else email,
            "firstName": name[0] if name else None,
            "lastName": name[1] if name else None,
            "roleId": self.role_ids[role],
            "groups": [],
            "active": True,
            "created": self.moment(created),
            "lastUpdated": self.moment(min(created, seen + int(60 * random_()))),
            "lastLogin": self.moment(seen),
            "tenantId": self.tenant_id,
            "activeDirectory": department is not None and department.is_directory,
            "createdSso": by_sso,
            "preferences": _PREFERENCES,
            "uiSettings": _UI_SETTINGS,
        }
        if name is None:
            del user["firstName"], user["lastName"]
        if random_() < 0.7:
            # opening a dashboard counts as activity; its login may be weeks older
            user["lastActivity"] = user["lastLogin"]
            user["lastLogin"] = self.moment(min(created, seen + int(45 * random_())))
        if user["activeDirectory"] and department is not None:
            user["principalName"] = email
            user["objectSid"] = f"S-1-5-21-1004336348-1177238915-682003330-{len(self.users) + 1_000}"
            user["dn"] = f"CN={email.partition('@')[0]},OU={department.name},DC=example,DC=com"
        self.users.append(user)
        return user

    def retire(self, title: Title) -> Hire:
        """Add a person who left and whose account was deactivated and stripped of its groups."""
        left = 30 + int(900 * self.rng.random())
        hire = self.hire(title, seen=left + 1 + int(20 * self.rng.random()))
        title.holders -= 1
        hire.person.employment_status = "ended"
        hire.person.end_date = self._dates[left]
        self.switch_off(hire.user, left)
        hire.user["roleId"] = self.role_ids["consumer"]
        hire.user["groups"] = []
        return hire

    # changes to accounts ---------------------------------------------------------------------------------

    def switch_off(self, user: User, days: int) -> None:
        """Deactivate the account, ``days`` ago."""
        user["active"] = False
        user["lastUpdated"] = self.moment(days)

    def never_seen(self, user: User, *, value: object = ...) -> None:
        """Remove the last login and activity, or set both to ``value``."""
        user.pop("lastActivity", None)
        if value is ...:
            user.pop("lastLogin", None)
        else:
            user["lastLogin"] = user["lastActivity"] = value
        self.login_states["never"] += 1

    def unreadable(self, user: User, value: object) -> None:
        """Replace the last login with an invalid timestamp, and remove the activity."""
        user.pop("lastActivity", None)
        user["lastLogin"] = value
        self.login_states["unknown"] += 1

    def plant(
        self,
        rule_id: PlantedRule,
        severity: str,
        user: User | None,
        *,
        subject: str | None = None,
        status: str = "open",
        detail: str = "",
    ) -> None:
        """Record that a rule must report this."""
        account_id = None if user is None else user["_id"]
        self.planted.setdefault(rule_id, []).append(PlantedFinding(severity, account_id, subject, status, detail))
