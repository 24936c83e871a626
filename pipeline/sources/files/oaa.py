"""Reads an application from a file of Veza's Open Authorization API (OAA), as its connectors write it.

The groups, roles and directly granted permissions of the payload are the entitlements. What an account holds through
a group or a role is followed: roles and permissions of its groups, groups in groups, and roles in roles. Permissions
that come with a role are part of the role, and decide whether it is privileged.

The format: https://docs.veza.com/4yItIzMvkpAvMVFAamTf/developers/api/oaa/templates/custom-application
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import ContentError
from pipeline.sources.files.declared import load_document
from pipeline.sources.files.tables import Content, ReadFile, read_bytes

__all__ = ["COUNTED", "read"]

#: The lists whose rows a manifest declares.
COUNTED = ("local_users", "local_groups", "local_roles", "identity_to_permissions")
_USER, _GROUP, _CREDENTIAL, _IDENTITY = "local_user", "local_group", "local_access_creds", "idp"
#: What a part of the payload may hold stands for, if the payload does not list what it permits.
_NOT_LISTED = "Uncategorized"
_TYPES = {"human": "human", "service_account": "service"}
Record = Mapping[str, Any]


def read(path: Path, note: Callable[[str], None], finished: Callable[[ReadFile], None]) -> Iterator[Content]:
    """Yield the tables of one file, as :func:`pipeline.sources.files.csv_tables.read` does.

    Raises:
        ContentError: the file is not JSON, or has not the form of an OAA payload; it names the place.
    """
    content = read_bytes(path)
    document = load_document(content, path)
    payload = _Payload(path, document)
    if payload.is_without_users:
        note(f"{path.name}: no application has local_users, so there are no accounts")
    yield Content("accounts", path.name, payload.accounts())
    yield Content("entitlements", path.name, payload.entitlements())
    yield Content("grants", path.name, payload.grants())
    finished(ReadFile(path.name, len(content), hashlib.sha256(content).hexdigest(), payload.counts))


@dataclass
class _OaaApplication:
    """The parts of one application, each by its id and by its name."""

    prefix: str
    users: dict[str, Record] = field(default_factory=dict)
    groups: dict[str, Record] = field(default_factory=dict)
    roles: dict[str, Record] = field(default_factory=dict)
    credentials: dict[str, Record] = field(default_factory=dict)


@dataclass(frozen=True)
class _Assignment:
    """What one identity was given: roles and permissions, with the resource if it is only for one."""

    application: _OaaApplication
    roles: tuple[tuple[str, str | None], ...]
    permissions: tuple[tuple[str, str | None], ...]


class _Payload:
    """One payload: its applications and their grants."""

    def __init__(self, path: Path, document: Record) -> None:
        self._path = path
        listed = self._list(document, "applications", "the file")
        if not listed:
            raise self._error("the file has no list 'applications', so it is not an OAA file")
        self.counts = dict.fromkeys(COUNTED, 0)
        self._applications: dict[str, _OaaApplication] = {}
        for place, entry in enumerate(listed):
            name = self._name(entry, f"applications[{place}]")
            # Two applications may have a role of one name; a single one needs no prefix.
            prefix = f"{name}/" if len(listed) > 1 else ""
            self._applications[name] = self._application(entry, prefix, f"applications[{place}]")
        permissions = self._list(document, "permissions", "the file")
        self._types = {
            self._name(entry, f"permissions[{place}]"): _texts(entry.get("permission_type"))
            for place, entry in enumerate(permissions)
        }
        self._assigned = self._assignments(document)

    @property
    def is_without_users(self) -> bool:
        return not self.counts["local_users"]

    def accounts(self) -> Iterator[Record]:
        """Yield the local users, then credentials and identities of a directory that hold something themselves."""
        for application in self._applications.values():
            for user in _distinct(application.users):
                yield _without_nulls(
                    account_id=application.prefix + _key(user), user_name=_text(user.get("name")),
                    email=_email(user), status=_status(user), created_at=_text(user.get("created_at")),
                    last_login_at=_text(user.get("last_login_at")),
                    account_type=_account_type(user),
                )  # fmt: skip
        for (kind, identity), assignments in self._assigned.items():
            if kind == _IDENTITY:
                yield _without_nulls(
                    account_id=identity, user_name=identity, email=identity if "@" in identity else None
                )
            elif kind == _CREDENTIAL:
                for assignment in assignments[:1]:
                    found = assignment.application.credentials.get(identity, {})
                    yield _without_nulls(
                        account_id=f"credential:{identity}", user_name=_text(found.get("name")),
                        status=_status(found), created_at=_text(found.get("created_at")),
                        last_login_at=_text(found.get("last_used_at")), account_type="service",
                    )  # fmt: skip

    def entitlements(self) -> Iterator[Record]:
        """Yield every group, every role, and the permissions that are granted outside of roles."""
        for application in self._applications.values():
            for group in _distinct(application.groups):
                yield self._entitlement("group", application, _label(group), self._types_of_group(application, group))
            for role in _distinct(application.roles):
                types = self._types_of_role(application, role)
                named = ", ".join(_texts(role.get("permissions")))
                yield self._entitlement("role", application, _label(role), types, named and f"Permissions: {named}")
        granted = {
            (assignment.application.prefix, name, resource)
            for assignments in self._assigned.values()
            for assignment in assignments
            for name, resource in assignment.permissions
        }
        for prefix, name, resource in sorted(granted, key=lambda each: (each[0], each[1], each[2] or "")):
            shown = name + (f" on {resource}" if resource else "")
            yield {
                "entitlement_type": "permission", "entitlement_id": _permission_id(prefix, name, resource),
                "entitlement_name": prefix + shown, "permission_types": self._types.get(name, [_NOT_LISTED]),
            }  # fmt: skip

    def grants(self) -> Iterator[Record]:
        """Yield what each account holds: first what is its own, then what comes through groups."""
        for application in self._applications.values():
            for user in _distinct(application.users):
                account_id = application.prefix + _key(user)
                groups = list(self._groups_of(application, user))
                for group, path in groups:
                    yield _grant(account_id, f"group:{application.prefix}{group}", path)
                for assignment in self._assigned.get((_USER, _key(user)), ()) or self._assigned.get(
                    (_USER, str(user.get("name"))), ()
                ):
                    if assignment.application is application:
                        yield from self._granted(account_id, assignment, None)
                for group, path in groups:
                    through = f"{path} > group {group}" if path else f"group {group}"
                    for key in _names(application.groups.get(group), group):
                        for assignment in self._assigned.get((_GROUP, key), ()):
                            if assignment.application is application:
                                yield from self._granted(account_id, assignment, through)
        known = {key for application in self._applications.values() for key in application.users}
        for (kind, identity), assignments in self._assigned.items():
            for assignment in assignments:
                if kind == _IDENTITY or (kind == _USER and identity not in known):
                    yield from self._granted(identity, assignment, None)
                elif kind == _CREDENTIAL:
                    yield from self._granted(f"credential:{identity}", assignment, None)

    def _granted(self, account_id: str, assignment: _Assignment, path: str | None) -> Iterator[Record]:
        application = assignment.application
        for role, resource in assignment.roles:
            label = _label(application.roles.get(role)) or role
            where = f"on {resource}" if resource else None
            yield _grant(account_id, f"role:{application.prefix}{label}", _joined(path, where))
            for nested in self._nested_roles(application, role):
                yield _grant(account_id, f"role:{application.prefix}{nested}", _joined(path, where, f"role {label}"))
        for permission, resource in assignment.permissions:
            yield _grant(account_id, _permission_id(application.prefix, permission, resource), path)

    def _groups_of(self, application: _OaaApplication, member: Record) -> Iterator[tuple[str, str | None]]:
        """Yield the groups of a user or group by name, with the path; groups in groups are followed once."""
        waiting: list[tuple[str, str | None]] = [(name, None) for name in _texts(member.get("groups"))]
        seen: set[str] = set()
        while waiting:
            name, path = waiting.pop(0)
            found = application.groups.get(name)
            label = _label(found) or name
            if label in seen:
                continue
            seen.add(label)
            yield label, path
            waiting += [(parent, _joined(path, f"group {label}")) for parent in _texts((found or {}).get("groups"))]

    def _nested_roles(self, application: _OaaApplication, role: str) -> list[str]:
        """Return the names of the roles that a role contains, directly or through others."""
        own = _label(application.roles.get(role))
        found: list[str] = []
        waiting = list(_texts((application.roles.get(role) or {}).get("roles")))
        while waiting:
            name = waiting.pop(0)
            nested = application.roles.get(name)
            label = _label(nested) or name
            if label != own and label not in found:
                found.append(label)
                waiting += _texts((nested or {}).get("roles"))
        return found

    def _types_of_role(self, application: _OaaApplication, role: Record) -> list[str]:
        parts = [role, *(application.roles.get(name, {}) for name in self._nested_roles(application, _key(role)))]
        types = {kind for part in parts for name in _texts(part.get("permissions")) for kind in self._of(name)}
        if any(not _texts(part.get("permissions")) and not _texts(part.get("roles")) for part in parts):
            types.add(_NOT_LISTED)
        return sorted(types)

    def _types_of_group(self, application: _OaaApplication, group: Record) -> list[str] | None:
        """Return the types of all that a group gives; None if it gives nothing."""
        types: set[str] = set()
        for name in [_key(group), *(name for name, _ in self._groups_of(application, group))]:
            for key in _names(application.groups.get(name), name):
                for assignment in self._assigned.get((_GROUP, key), ()):
                    for role, _ in assignment.roles:
                        found = application.roles.get(role)
                        types.update(self._types_of_role(application, found) if found else [_NOT_LISTED])
                    for permission, _ in assignment.permissions:
                        types.update(self._of(permission))
        return sorted(types) or None

    def _of(self, permission: str) -> list[str]:
        return self._types.get(permission) or [_NOT_LISTED]

    def _entitlement(
        self, kind: str, application: _OaaApplication, label: str, types: list[str] | None, description: str = ""
    ) -> Record:
        privileged = {"permission_types": types} if types is not None else {"privileged": "false"}
        described = {"description": description} if description else {}
        return {
            "entitlement_type": kind, "entitlement_id": f"{kind}:{application.prefix}{label}",
            "entitlement_name": application.prefix + label, **described, **privileged,
        }  # fmt: skip

    def _application(self, entry: Record, prefix: str, place: str) -> _OaaApplication:
        found = _OaaApplication(prefix)
        parts = {
            "local_users": found.users, "local_groups": found.groups, "local_roles": found.roles,
            "local_access_creds": found.credentials,
        }  # fmt: skip
        for key, by_name in parts.items():
            records = self._list(entry, key, place)
            names = [self._name(record, f"{place}.{key}[{number}]") for number, record in enumerate(records)]
            often = {name for name, times in Counter(names).items() if times > 1}
            # Of several with one name, each is shown with its id.
            records = [
                {**record, "name": f"{name} ({_key(record)})"} if name in often and key != "local_users" else record
                for name, record in zip(names, records, strict=True)
            ]
            by_name.update({_key(record): record for record in records})
            for record in records:  # an id takes precedence over another one's name
                by_name.setdefault(str(record.get("name") or _key(record)), record)
            if key in self.counts:
                self.counts[key] += len(records)
        return found

    def _assignments(self, document: Record) -> dict[tuple[str, str], list[_Assignment]]:
        assigned: dict[tuple[str, str], list[_Assignment]] = {}
        entries = self._list(document, "identity_to_permissions", "the file")
        self.counts["identity_to_permissions"] = len(entries)
        for number, entry in enumerate(entries):
            place = f"identity_to_permissions[{number}]"
            identity = _text(entry.get("identity"))
            if identity is None:
                raise self._error(f"{place} has no identity")
            key = str(entry.get("identity_type") or _USER), identity
            for name, application in self._applications.items():
                roles = self._given(entry, "role_assignments", "role", name, place)
                permissions = self._given(entry, "application_permissions", "permission", name, place)
                if roles or permissions:
                    assigned.setdefault(key, []).append(_Assignment(application, roles, permissions))
        return assigned

    def _given(
        self, entry: Record, key: str, what: str, application: str, place: str
    ) -> tuple[tuple[str, str | None], ...]:
        given: list[tuple[str, str | None]] = []
        for number, each in enumerate(self._list(entry, key, place)):
            name = _text(each.get(what))
            if name is None:
                raise self._error(f"{place}.{key}[{number}] has no {what}")
            if _text(each.get("application")) not in {application, None}:
                continue
            resources = _texts(each.get("resources"))
            if each.get("apply_to_application") or not resources:
                given.append((name, None))
            given += [(name, resource) for resource in resources]
        return tuple(given)

    def _list(self, owner: Record, key: str, place: str) -> list[Record]:
        value = owner.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._error(f"'{key}' of {place} is not a list")
        for number, entry in enumerate(value):
            if not isinstance(entry, dict):
                raise self._error(f"{key}[{number}] of {place} is not an object")
        return value

    def _name(self, record: Record, place: str) -> str:
        name = _text(record.get("name")) or _text(record.get("id"))
        if name is None:
            raise self._error(f"{place} has neither a name nor an id")
        return name

    def _error(self, message: str) -> ContentError:
        return ContentError(
            f"{self._path.name}: {message}", where=str(self._path), hint="export it again with the OAA connector"
        )


def _key(record: Record) -> str:
    """Return what others refer to a record by: its id, else its name."""
    return _text(record.get("id")) or _text(record.get("name")) or ""


def _label(record: Record | None) -> str:
    return (_text(record.get("name")) or _key(record)) if record else ""


def _names(record: Record | None, name: str) -> list[str]:
    """Return the names by which assignments may refer to a group."""
    return list(dict.fromkeys([_key(record), _label(record)] if record else [name]))


def _distinct(by_name: Mapping[str, Record]) -> Iterable[Record]:
    return {id(record): record for record in by_name.values()}.values()


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def _texts(value: object) -> list[str]:
    return [text for each in value if (text := _text(each))] if isinstance(value, list) else []


def _email(user: Record) -> str | None:
    candidates = [user.get("email"), *_texts(user.get("identities")), user.get("name")]
    return next((text for each in candidates if (text := _text(each)) and "@" in text), None)


def _status(record: Record) -> str | None:
    is_active = record.get("is_active")
    if not isinstance(is_active, bool):
        return "inactive" if _text(record.get("deactivated_at")) else None
    return "active" if is_active else "inactive"


def _account_type(user: Record) -> str | None:
    """Return the type of an account; a word that OAA does not have is kept, and counts as unknown."""
    word = _text(user.get("user_type"))
    return word and _TYPES.get(word.lower(), word)


def _permission_id(prefix: str, name: str, resource: str | None) -> str:
    return f"permission:{prefix}{name}" + (f"@{resource}" if resource else "")


def _grant(account_id: str, entitlement_id: str, path: str | None) -> Record:
    return _without_nulls(account_id=account_id, entitlement_id=entitlement_id, path=path)


def _joined(*parts: str | None) -> str | None:
    return " > ".join(filter(None, parts)) or None


def _without_nulls(**values: str | None) -> Record:
    return {name: value for name, value in values.items() if value is not None}
