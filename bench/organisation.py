"""The simulator's organisation, multiplied: synthetic, with about 620 bytes and 3.6 groups for each account.

Each copy of the ordinary accounts has its own ids, addresses, people, departments and groups. So a million accounts
are as consistent as two thousand: each has a person and peers, and members are listed on both sides.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pipeline.simulator import population
from pipeline.simulator.objects import ObjectSizes
from pipeline.simulator.population import DOMAIN, Population
from pipeline.simulator.staffing import Person

ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)
_ORIGINAL = 2_000
# Placeholders in the template of a copy: for eight digits of every id, and for its number in every address.
_DIGITS, _NUMBER = "@digits@", "@number@"


class Organisation:
    """An organisation of any size: the original accounts first, then copies of the ordinary ones.

    The original accounts alone hold its dashboards and models, in these sizes or in the usual ones. A ``tenant`` has
    people, names and addresses of its own, so that it can be compared with others.
    """

    def __init__(self, accounts: int, sizes: ObjectSizes | None = None, tenant: str = "") -> None:
        self.accounts = accounts
        self.original = population.build(min(accounts, _ORIGINAL), 7, ANCHOR, sizes)
        if tenant:
            self.original = _of_tenant(self.original, tenant)
        domain = domain_of(tenant) if tenant else DOMAIN
        self._ordinary = [
            user
            for user in self.original.users
            if user.get("userName") == user.get("email")
            and str(user.get("email")).endswith(f"@{domain}")
            and isinstance(user.get("groups"), list)
        ]

    def users(self) -> Iterator[bytes]:
        """Yield the accounts as JSON."""
        yield from map(encode, self.original.users)
        templates = [
            encode(user | _copied_names(user) | {"groups": [_own(group) for group in user["groups"]]})
            for user in self._ordinary
        ]
        for copy, many in self._copies():
            yield from (_filled(template, copy) for template in templates[:many])

    def groups(self) -> Iterator[bytes]:
        """Yield the groups as JSON, each with its members."""
        users = {user["_id"]: user for user in self.original.users}
        for group in self.original.groups:
            members = [users[member] for member in self.original.members[group["_id"]] if member in users]
            yield encode(group | {"users": [_member(user) for user in members]})
        for copy, many in self._copies():
            yield from (_filled(template, copy) for template in self._group_templates(many))

    def roster(self) -> Iterator[str]:
        """Yield the roster as parts of one CSV."""
        yield self.original.roster_csv()
        people = {person.email: person for person in self.original.people}
        rows = [_copied(people[user["email"]]) if user["email"] in people else None for user in self._ordinary]
        for copy, many in self._copies():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(row for row in rows[:many] if row)
            yield text.getvalue().replace(_NUMBER, str(copy))

    def pages(self, size: int) -> Iterator[bytes]:
        """Yield the accounts as the bodies of full pages."""
        page: list[bytes] = []
        for record in self.users():
            page.append(record)
            if len(page) == size:
                yield listed(page)
                page = []
        if page:
            yield listed(page)

    @cached_property
    def _members(self) -> dict[str, list[int]]:
        """Return the places of each group's members among the ordinary accounts."""
        members: dict[str, list[int]] = {}
        for place, user in enumerate(self._ordinary):
            for group in user["groups"]:
                members.setdefault(group, []).append(place)
        return members

    def _group_templates(self, many: int) -> list[bytes]:
        templates = []
        for group in self.original.groups:
            members = [self._ordinary[place] for place in self._members.get(group["_id"], ()) if place < many]
            if members:
                listing = [_copied_names(user) for user in members]
                own = {"_id": _own(group["_id"]), "name": f"{group['name']} {_NUMBER}", "users": listing}
                templates.append(encode(group | own))
        return templates

    def _copies(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each copy and of its accounts."""
        left, copy = self.accounts - len(self.original.users), 0
        while left > 0:
            copy += 1
            yield copy, min(left, len(self._ordinary))
            left -= len(self._ordinary)


def domain_of(tenant: str) -> str:
    """Return the mail domain of a tenant."""
    return f"{tenant}.{DOMAIN}"


def _of_tenant(original: Population, tenant: str) -> Population:
    """Give every person and account another name and address. Odd values stay as they are."""

    def own_address(address: Any) -> Any:
        if not isinstance(address, str) or not address.strip():
            return address
        local_part, at, domain = address.partition("@")
        return f"{local_part}.{tenant}{at}{domain_of(tenant) if domain == DOMAIN else domain}"

    def own_name(name: Any) -> Any:
        return f"{name} {tenant}" if isinstance(name, str) and name.strip() else name

    users = [
        user
        | {key: own_address(user[key]) for key in ("userName", "email") if key in user}
        | {key: own_name(user[key]) for key in ("lastName",) if key in user}
        for user in original.users
    ]
    people = [
        replace(
            person,
            person_id=f"{tenant}.{person.person_id}",
            email=own_address(person.email),
            aliases=";".join(map(own_address, person.aliases.split(";"))),
            display_name=own_name(person.display_name),
            manager_email=own_address(person.manager_email),
        )
        for person in original.people
    ]
    return replace(original, users=users, people=people)


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def listed(records: list[bytes]) -> bytes:
    return b"[" + b",".join(records) + b"]"


def _copied(person: Person) -> tuple[str, ...]:
    department = person.department and f"{person.department} {_NUMBER}"
    return astuple(
        replace(
            person,
            person_id=f"{person.person_id}.{_NUMBER}",
            email=_address(person.email),
            department=department,
            manager_email=person.manager_email and _address(person.manager_email),
        )
    )


def _own(identity: str) -> str:
    return _DIGITS + identity[8:]


def _address(email: str) -> str:
    local_part, _, domain = email.partition("@")
    return f"{local_part}.{_NUMBER}@{domain}"


def _copied_names(user: dict[str, Any]) -> dict[str, str]:
    address = _address(user["email"])
    return {"_id": _own(user["_id"]), "userName": address, "email": address}


def _member(user: dict[str, Any]) -> dict[str, Any]:
    return {key: user.get(key) for key in ("_id", "userName", "email")}


def _filled(template: bytes, copy: int) -> bytes:
    return template.replace(_DIGITS.encode(), b"%08x" % (0x10000000 + copy)).replace(_NUMBER.encode(), b"%d" % copy)
