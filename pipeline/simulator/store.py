"""The accounts, roles and groups behind the simulated API, and both sides of membership.

The store never changes the population: it copies the lists, and replaces records instead of writing into them.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.simulator.population import CALLER, Population

if TYPE_CHECKING:
    from pipeline.simulator.objects import Objects

__all__ = ["Conflict", "Invalid", "Record", "Store"]

Record = dict[str, Any]

_FILTERS = {
    "userName": "userName",
    "email": "email",
    "firstName": "firstName",
    "lastName": "lastName",
    "roleId": "roleId",
    "role": "roleId",
}
_TEXT = {"email", "userName", "firstName", "lastName", "password"}
_OBJECTS = {"preferences", "uiSettings"}


class Invalid(Exception):  # noqa: N818 - a bad request, not a failure of the simulator
    """A value that the API refuses with 422."""


class Conflict(Exception):  # noqa: N818
    """A user name or address that another account has: 409."""


class Store:
    """The current data of the server. Not thread-safe: one event loop owns it, and readers take copies."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.reset()

    @property
    def objects(self) -> Objects:
        """Dashboards, models and settings. A scenario may replace them."""
        return self._objects or self.population.objects

    @objects.setter
    def objects(self, objects: Objects) -> None:
        self._objects: Objects | None = objects

    def reset(self) -> None:
        """Return to the population as it was made."""
        population = self.population
        self._objects = None
        self.users: list[Record] = list(population.users)
        self.roles: dict[str, Record] = {role["_id"]: role for role in population.roles}
        self.groups: dict[str, Record] = {group["_id"]: group for group in population.groups}
        self.members: dict[str, list[str]] = dict(population.members)
        self.by_id: dict[str, Record] = {user["_id"]: user for user in self.users}
        self.builtin_groups = {
            name: group["_id"] for group in population.groups if (name := group["name"]) in _BUILTIN
        }
        self.caller_id: str = next(user["_id"] for user in self.users if user["userName"] == CALLER)
        self._sorted: tuple[str, list[Record]] | None = None

    # users -----------------------------------------------------------------------------------------------

    def select(self, query: dict[str, str]) -> list[Record]:
        """Return the accounts that pass the filters of the query, in its order, before paging.

        Raises:
            Invalid: a filter value or a sort key is not valid.
        """
        tests = self._tests(query)
        rows = self._in_order(query.get("sort", "_id"))
        return [user for user in rows if all(test(user) for test in tests)] if tests else rows

    def _tests(self, query: dict[str, str]) -> list[Callable[[Record], bool]]:
        tests: list[Callable[[Record], bool]] = []
        for key, field in _FILTERS.items():
            if key in query:
                tests.append(_equals(field, query[key]))
        group_id = query.get("groupId") or query.get("group")
        if group_id is not None:
            tests.append(lambda user: group_id in (user.get("groups") or ()))
        if "active" in query:
            if query["active"] not in {"true", "false"}:
                raise Invalid("active must be true or false")
            wanted = query["active"] == "true"
            tests.append(lambda user: user.get("active") is wanted)
        if "origin" in query:
            if query["origin"] not in {"ad", "sisense"}:
                raise Invalid("origin must be ad or sisense")
            directory = query["origin"] == "ad"
            tests.append(lambda user: bool(user.get("activeDirectory")) is directory)
        if "ids" in query:
            ids = set(query["ids"].split(","))
            tests.append(lambda user: user["_id"] in ids)
        return tests

    def _in_order(self, sort: str) -> list[Record]:
        if sort == "_id":
            return self.users
        if self._sorted is None or self._sorted[0] != sort:
            field = sort.removeprefix("-")
            if field not in _SORTABLE:
                raise Invalid(f"cannot sort by {field}")
            rows = sorted(self.users, key=lambda user: str(user.get(field) or ""), reverse=sort.startswith("-"))
            self._sorted = (sort, rows)
        return self._sorted[1]

    def expanded(self, user: Record, expand: Iterable[str]) -> Record:
        """Return a copy with groups and role as objects. An unknown id stays an id."""
        shown = dict(user)
        if "groups" in expand and user.get("groups"):
            shown["groups"] = [self.groups.get(group_id, group_id) for group_id in user["groups"]]
        if "role" in expand:
            role = self.roles.get(user.get("roleId") or "")
            shown["role"] = None if role is None else {"_id": role["_id"], "name": role["name"]}
        return shown

    def create(self, body: Any, *, is_sso: bool = False) -> Record:
        """Add an account. Without a password it is a pending invitation.

        ``is_sso`` marks it as an account that uses single sign-on.

        Raises:
            Invalid: a missing address, an unknown field, or a value of the wrong kind.
            Conflict: the user name or the address is taken.
        """
        if not isinstance(body, dict):
            raise Invalid("the body must be an object")
        fields = {("userName" if key == "username" else key): value for key, value in body.items()}
        if not fields.get("email"):
            raise Invalid("email is required")
        fields.setdefault("userName", fields["email"])
        fields.setdefault("roleId", self._role_named("consumer"))
        self._check(fields, None)
        now = _now()
        user: Record = {
            "_id": _new_id(),
            "groups": [],
            "active": "password" in fields,
            "preferences": {},
            "uiSettings": {},
            **fields,
            "created": now,
            "lastUpdated": now,
            "activeDirectory": False,
            "createdSso": is_sso,
        }
        if user.pop("password", None) is None and "active" not in fields:
            user["pendingExpiration"] = _now(time.time() + 7 * 86_400)
        self.users.insert(self._position(user["_id"]), user)
        self._sorted = None
        self.by_id[user["_id"]] = user
        everybody = [self.builtin_groups[name] for name in ("Everyone", "All users in system")]
        self._enter(user["_id"], [*user["groups"], *everybody])
        return user

    def update(self, user_id: str, body: Any) -> Record:
        """Change only the fields in ``body``.

        Raises:
            KeyError: no such account.
            Invalid, Conflict: as for :meth:`create`.
        """
        before = self.by_id[user_id]
        if not isinstance(body, dict):
            raise Invalid("the body must be an object")
        self._check(body, user_id)
        after = {**before, **body, "lastUpdated": _now()}
        after.pop("password", None)
        if body.get("active") is True:
            after.pop("pendingExpiration", None)
        self.put(after)
        if "groups" in body:
            old, new = set(before.get("groups") or ()), set(body["groups"])
            self._leave(user_id, old - new)
            self._enter(user_id, new - old)
        return after

    def put(self, user: Record) -> None:
        """Replace a whole account without any check, for tests and scenarios."""
        self.users[self._position(user["_id"])] = user
        self.by_id[user["_id"]] = user
        self._sorted = None

    def delete(self, user_id: str) -> None:
        """Delete the account permanently, and remove it from its groups.

        Raises:
            KeyError: no such account.
        """
        del self.by_id[user_id]
        del self.users[self._position(user_id)]
        self._sorted = None
        self._leave(user_id, [group_id for group_id, members in self.members.items() if user_id in members])

    def _position(self, user_id: str) -> int:
        return bisect_left(self.users, user_id, key=lambda user: str(user["_id"]))

    def _check(self, fields: Record, user_id: str | None) -> None:
        for key, value in fields.items():
            if key in _TEXT:
                valid = isinstance(value, str)
            elif key in _OBJECTS:
                valid = isinstance(value, dict)
            elif key == "active":
                valid = isinstance(value, bool)
            elif key == "roleId":
                valid = value in self.roles
            elif key == "groups":
                valid = isinstance(value, list) and all(group_id in self.groups for group_id in value)
            else:
                raise Invalid(f"unknown field {key}")
            if not valid:
                raise Invalid(f"{key} has a value that cannot be used")
        for key in ("userName", "email"):
            if key in fields and any(u.get(key) == fields[key] and u["_id"] != user_id for u in self.users):
                raise Conflict(f"{key} is taken")

    def _role_named(self, name: str) -> str:
        return next(role_id for role_id, role in self.roles.items() if role["name"] == name)

    # groups ----------------------------------------------------------------------------------------------

    def _enter(self, user_id: str, group_ids: Iterable[str]) -> None:
        for group_id in group_ids:
            if user_id not in self.members[group_id]:
                self.members[group_id] = [*self.members[group_id], user_id]

    def _leave(self, user_id: str, group_ids: Iterable[str]) -> None:
        for group_id in group_ids:
            self.members[group_id] = [member for member in self.members.get(group_id, ()) if member != user_id]

    def set_group(self, group_id: str | None, name: str, member_ids: Iterable[str]) -> Record:
        """Add a group, or change the name and members of one, on both sides. It carries no role.

        Raises:
            KeyError: no such group.
            Invalid: a member is not an account.
        """
        wanted = list(dict.fromkeys(member_ids))
        if unknown := [member for member in wanted if member not in self.by_id]:
            raise Invalid(f"there is no account {unknown[0]}")
        now = _now()
        if group_id is None:
            group: Record = {"_id": _new_id(), "name": name, "ad": False, "roleId": None, "created": now}
            self.members[group["_id"]] = []
        else:
            group = self.groups[group_id]
        group = {**group, "name": name, "lastUpdated": now}
        self.groups[group["_id"]] = group
        self._regroup(group["_id"], wanted)
        return group

    def delete_group(self, group_id: str) -> None:
        """Remove a group; its members stay.

        Raises:
            KeyError: no such group.
        """
        del self.groups[group_id]
        self._regroup(group_id, [])
        del self.members[group_id]

    def _regroup(self, group_id: str, wanted: list[str]) -> None:
        before, after = set(self.members[group_id]), set(wanted)
        self.members[group_id] = wanted
        for user_id in before ^ after:
            user = self.by_id.get(user_id)
            if user is not None:
                kept = [other for other in user.get("groups") or () if other != group_id]
                self.put({**user, "groups": [*kept, group_id] if user_id in after else kept})

    def group_users(self, group_id: str) -> list[Record]:
        """Return the members as the group side shows them: id, user name and address."""
        by_id = self.by_id
        return [
            {"_id": member, "userName": user.get("userName"), "email": user.get("email")}
            for member in self.members[group_id]
            if (user := by_id.get(member)) is not None
        ]


def _equals(field: str, value: str) -> Callable[[Record], bool]:
    return lambda user: user.get(field) == value


_BUILTIN = {"Everyone", "Admins", "All users in system"}
_SORTABLE = {
    "_id",
    "userName",
    "email",
    "firstName",
    "lastName",
    "roleId",
    "active",
    "created",
    "lastUpdated",
    "lastLogin",
}


def _new_id() -> str:
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def _now(seconds: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
