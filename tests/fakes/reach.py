"""Who reaches which object and which rows, computed in plain Python from the records of the simulator.

It shares no code with the product's SQL. A path says by what an account reaches an object: ``owner``, ``account`` (a
share of its own), ``group``, ``everyone`` (the built-in group), ``role`` (``object_id`` is empty: every object of the
type), or ``public`` (the link of a dashboard, which needs no account).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from pipeline.simulator.objects import Objects, SimulatedDashboard, SimulatedModel
from pipeline.simulator.population import Population

LEVELS = {"w": "edit", "a": "read", "r": "use"}
#: The object types that a role reaches by itself.
BY_ROLE = {"super": ("dashboard", "model"), "admin": ("dashboard", "model"), "dataadmin": ("model",)}
DISPLAYED = {"sys. admin": "super", "data admin": "dataadmin"}


class Path(NamedTuple):
    object_type: str
    object_id: str
    level: str
    via: str
    via_id: str


class RowAccess(NamedTuple):
    """``access`` is everything, nothing, some, all_but or not_known. ``values`` are those of some and all_but."""

    access: str
    values: frozenset[Any] = frozenset()

    @property
    def value_count(self) -> int | None:
        return len(self.values) if self.access in {"some", "all_but"} else None


EVERYTHING, NOTHING, NOT_KNOWN = RowAccess("everything"), RowAccess("nothing"), RowAccess("not_known")


def some(values: Iterable[Any]) -> RowAccess:
    kept = frozenset(values)
    return RowAccess("some", kept) if kept else NOTHING


def all_but(values: Iterable[Any]) -> RowAccess:
    return RowAccess("all_but", frozenset(values))


def of_rule(rule: Mapping[str, Any]) -> RowAccess:
    """Return what one rule by itself lets through."""
    everything, members, hides = rule.get("allMembers"), rule.get("members"), rule.get("exclusionary")
    if not (
        isinstance(everything, bool | None) and isinstance(hides, bool | None) and isinstance(members, list | None)
    ):
        return NOT_KNOWN
    if everything is True:
        return EVERYTHING
    if "members" not in rule:
        return NOT_KNOWN
    if not members:
        return NOTHING
    return all_but(members) if hides else some(members)


def is_unclear(rule: Mapping[str, Any]) -> bool:
    """Return whether a rule does not say who it is for, so that it may be for any account."""
    shares = rule.get("shares")
    return shares is None or any(
        share["type"] not in {"user", "group", "default"} or (share["type"] != "default" and not share.get("partyId"))
        for share in shares
    )


def within_a_level(results: Iterable[RowAccess]) -> RowAccess:
    """Combine the rules of one level: those for a user, or those for all of a user's groups."""
    found = list(results)
    kinds = {result.access for result in found}
    if "nothing" in kinds:
        return NOTHING
    if "not_known" in kinds:
        return NOT_KNOWN
    allowed = frozenset().union(*(result.values for result in found if result.access == "some"))
    blocked = frozenset().union(*(result.values for result in found if result.access == "all_but"))
    if "some" in kinds:
        return some(allowed - blocked)
    return all_but(blocked) if blocked else EVERYTHING


def between_levels(left: RowAccess, right: RowAccess) -> RowAccess:
    """Combine a user's own rules with those of the groups: what both let through."""
    if NOTHING in (left, right):
        return NOTHING
    if NOT_KNOWN in (left, right):
        return NOT_KNOWN
    if left == EVERYTHING:
        return right
    if right == EVERYTHING:
        return left
    if left.access == right.access == "all_but":
        return all_but(left.values | right.values)
    if left.access == right.access:
        return some(left.values & right.values)
    allowed, blocked = (left, right) if left.access == "some" else (right, left)
    return some(allowed.values - blocked.values)


def is_wider(left: RowAccess, right: RowAccess) -> bool:
    """Return whether the first lets through all that the second does, and more."""
    return left != right and NOT_KNOWN not in (left, right) and between_levels(left, right) == right


@dataclass
class Reach:
    population: Population
    objects: Objects
    users: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.users = {user["_id"]: user for user in self.population.users}

    @cached_property
    def groups_of(self) -> dict[str, set[str]]:
        """Return the groups of each account, as either side of membership says. Everyone is in Everyone."""
        known = {group["_id"] for group in self.population.groups}
        found = {
            account_id: ({*(user.get("groups") or ())} & known) | {self.objects.everyone_id}
            for account_id, user in self.users.items()
        }
        for group_id, members in self.population.members.items():
            for account_id in members:
                found[account_id].add(group_id)
        return found

    @cached_property
    def active(self) -> set[str]:
        return {account_id for account_id, user in self.users.items() if user.get("active") is True}

    def role_of(self, account_id: str) -> str:
        """Return the name of the role that decides: its own if it is built in, else that of its base."""
        roles = {role["_id"]: role for role in self.population.roles}
        role = roles.get(self.users[account_id].get("roleId") or "", {})
        for name in (role.get("name"), role.get("baseRoleName")):
            folded = DISPLAYED.get((name or "").lower(), (name or "").lower())
            if folded in BY_ROLE:
                return folded
        return ""

    # objects -------------------------------------------------------------------------------------------------

    def grants(self, made: SimulatedDashboard | SimulatedModel) -> set[Path]:
        """Return everything that opens one object, except roles."""
        if isinstance(made, SimulatedDashboard):
            found = {self._path("dashboard", made.oid, "owner", "owner", made.owner)} if made.owner else set()
            for share in made.shares:
                if share["shareId"] != made.owner:
                    found.add(self._path("dashboard", made.oid, share["rule"], share["type"], share["shareId"]))
            return found | ({Path("dashboard", made.oid, "view", "public", "")} if made.is_public else set())
        # the API names the creator of a live model only
        found = {self._path("model", made.model_id, "owner", "owner", made.creator)} if made.is_live else set()
        for share in made.shares:
            if not (made.is_live and share["partyId"] == made.creator):
                level = LEVELS[share["permission"]]
                found.add(self._path("model", made.model_id, level, share["type"], share["partyId"]))
        return found

    def _path(self, object_type: str, object_id: str, level: str, kind: str, party: str) -> Path:
        via = "everyone" if party == self.objects.everyone_id else {"user": "account"}.get(kind, kind)
        return Path(object_type, object_id, level, via, party)

    @cached_property
    def all_grants(self) -> list[Path]:
        found: list[Path] = []
        for made in (*self.objects.dashboards, *self.objects.models):
            found += sorted(self.grants(made))
        for folder in self.objects.folders:
            found.append(Path("folder", folder["oid"], "owner", "owner", folder["owner"]))
        return found

    def of_account(self, account_id: str) -> set[Path]:
        """Return what opens objects to one account. Public dashboards are left out: they need no account."""
        parties = {account_id, *self.groups_of[account_id]}
        found = {path for path in self.all_grants if path.via_id in parties}
        role_id = self.users[account_id].get("roleId") or ""
        return found | {
            Path(object_type, "", "edit", "role", role_id)
            for object_type in BY_ROLE.get(self.role_of(account_id), ())
        }

    def of_object(self, object_id: str) -> dict[str, set[Path]]:
        """Return the active accounts that reach one object, with their paths. Public readers are not accounts."""
        found: dict[str, set[Path]] = {}
        grants = [path for path in self.all_grants if path.object_id == object_id]
        for path in grants:
            for account_id in self.reached(path):
                found.setdefault(account_id, set()).add(path)
        for account_id in self.active:
            if grants and grants[0].object_type in BY_ROLE.get(self.role_of(account_id), ()):
                role_id = self.users[account_id]["roleId"]
                path = Path(grants[0].object_type, object_id, "edit", "role", role_id)
                found.setdefault(account_id, set()).add(path)
        return found

    def reached(self, path: Path) -> set[str]:
        """Return the active accounts that one grant reaches."""
        if path.via == "public":
            return set()
        if path.via == "everyone":
            return set(self.active)
        if path.via == "group":
            return {account_id for account_id in self.active if path.via_id in self.groups_of[account_id]}
        return {path.via_id} & self.active

    # rows ------------------------------------------------------------------------------------------------------

    def row_access(self, account_id: str, model: SimulatedModel) -> dict[tuple[str, str], RowAccess]:
        """Return which rows of a model an account sees, for each column that has a rule."""
        columns: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for rule in model.rules:
            columns.setdefault((rule["table"], rule["column"]), []).append(rule)
        return {place: self.of_column(account_id, rules) for place, rules in columns.items()}

    def of_column(self, account_id: str, rules: Iterable[Mapping[str, Any]]) -> RowAccess:
        own, of_groups, default = self.levels(account_id, rules)
        if own is not None and of_groups is not None:
            return between_levels(own, of_groups)
        return own or of_groups or default or EVERYTHING

    def levels(
        self, account_id: str, rules: Iterable[Mapping[str, Any]]
    ) -> tuple[RowAccess | None, RowAccess | None, RowAccess | None]:
        """Return what the rules for an account, for its groups, and by default let through; None without a rule."""
        found: dict[str, list[RowAccess]] = {"user": [], "group": [], "default": []}
        rules = list(rules)
        for rule in rules:
            kinds = {
                share["type"]
                for share in rule["shares"] or ()
                if share["type"] == "default"
                or (share["type"] == "user" and share.get("partyId") == account_id)
                or (share["type"] == "group" and share.get("partyId") in self.groups_of[account_id])
            }
            for kind in kinds:
                found[kind].append(of_rule(rule))
        if any(is_unclear(rule) for rule in rules):
            for kind in ("user", "group"):
                found[kind] += [NOT_KNOWN] if found[kind] else []
            found["default"] = [NOT_KNOWN]
        own, of_groups, default = (within_a_level(results) if results else None for results in found.values())
        return own, of_groups, default
