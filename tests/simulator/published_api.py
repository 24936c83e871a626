"""The part of Sisense's published REST API that this program uses: addresses, parameters, statuses and shapes.

The sources are the API reference of a server (Swagger, v1 and v0.9, Linux L8.2.4) and the REST guide at sisense.dev.
Where the two disagree, both readings are listed. Fields that a server may leave out are optional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["OPERATIONS", "Operation", "published", "violations"]

Types = tuple[type, ...]
Fields = Mapping[str, Types]

_TEXT: Types = (str,)
_OPTIONAL_TEXT: Types = (str, type(None))
_USER_REQUIRED: Fields = {"_id": _TEXT, "userName": _TEXT, "active": (bool, type(None))}
_USER_OPTIONAL: Fields = {
    "email": _OPTIONAL_TEXT,
    "firstName": _OPTIONAL_TEXT,
    "lastName": _OPTIONAL_TEXT,
    "roleId": _OPTIONAL_TEXT,
    "groups": (list, type(None)),
    "lastLogin": _OPTIONAL_TEXT,
    "lastActivity": _OPTIONAL_TEXT,
    "created": _TEXT,
    "lastUpdated": _TEXT,
    "pendingExpiration": _TEXT,
    "tenantId": _TEXT,
    "activeDirectory": (bool,),
    "principalName": _OPTIONAL_TEXT,
    "objectSid": _OPTIONAL_TEXT,
    "dn": _OPTIONAL_TEXT,
    "preferences": (dict,),
    "uiSettings": (dict,),
    "roleName": _TEXT,
    "role": (dict, str, type(None)),
}
_ROLE_REQUIRED: Fields = {"_id": _TEXT, "name": _TEXT}
_ROLE_OPTIONAL: Fields = {"displayName": _TEXT, "baseRoleName": _OPTIONAL_TEXT, "manifest": (dict,)}
_GROUP_REQUIRED: Fields = {"_id": _TEXT, "name": _TEXT}
_GROUP_OPTIONAL: Fields = {
    "mail": _OPTIONAL_TEXT,
    "ad": (bool,),
    "roleId": _OPTIONAL_TEXT,
    "defaultRole": _OPTIONAL_TEXT,
    "tenantId": _TEXT,
    "users": (list,),
    "created": _TEXT,
    "lastUpdated": _TEXT,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One published call. ``{id}`` in the path is one segment; ``is_list`` says that it answers a bare array."""

    method: str
    path: str
    query: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset({200})
    required: Fields | None = None
    optional: Fields | None = None
    is_list: bool = False

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is this call."""
        return method == self.method and bool(re.fullmatch(self.path.replace("{id}", "[^/]+"), path))


_USER_FILTERS = frozenset(
    {"userName", "email", "firstName", "lastName", "roleId", "groupId", "active", "origin", "ids"}
)
_LIST = frozenset({"skip", "limit", "sort", "fields", "expand"})
OPERATIONS = (
    Operation("GET", "/api/v1/application/status", required={"version": (dict, str)}),
    Operation(
        "POST", "/api/v1/authentication/login",
        required={"access_token": _TEXT}, optional={"success": (bool,), "message": _TEXT, "profile": (dict,)},
    ),
    Operation(
        "GET", "/api/v1/users", query=_LIST | _USER_FILTERS,
        required=_USER_REQUIRED, optional=_USER_OPTIONAL, is_list=True,
    ),
    Operation("GET", "/api/v1/users/{id}", query=frozenset({"fields", "expand"}), statuses=frozenset({200, 404}),
              required=_USER_REQUIRED, optional=_USER_OPTIONAL),
    Operation("POST", "/api/v1/users", statuses=frozenset({200, 201}),
              required=_USER_REQUIRED, optional=_USER_OPTIONAL),
    Operation("PATCH", "/api/v1/users/{id}", required=_USER_REQUIRED, optional=_USER_OPTIONAL),
    Operation("DELETE", "/api/v1/users/{id}", statuses=frozenset({200, 204})),
    Operation("GET", "/api/users/loggedin", required={"_id": _TEXT, "userName": _TEXT}, optional=_USER_OPTIONAL),
    Operation("GET", "/api/users/count", required={"collection": _TEXT, "count": (int,)}),
    Operation(
        "GET", "/api/roles", query=frozenset({"includeManifest", "includeBaseRolesName"}),
        required=_ROLE_REQUIRED, optional=_ROLE_OPTIONAL, is_list=True,
    ),
    Operation(
        "GET", "/api/v1/groups", query=_LIST | {"name", "mail", "roleId", "origin", "ids"},
        required=_GROUP_REQUIRED, optional=_GROUP_OPTIONAL, is_list=True,
    ),
    Operation("GET", "/api/v1/groups/{id}", query=frozenset({"fields", "expand"}), statuses=frozenset({200, 404}),
              required=_GROUP_REQUIRED, optional=_GROUP_OPTIONAL),
)  # fmt: skip

_WHOLE = frozenset({"skip", "limit", "sort", "fields"})
_SHARED: Fields = {"sharesTo": (list,), "isPublic": (bool,)}
_RULE: Fields = {"_id": _TEXT, "table": _TEXT, "column": _TEXT, "shares": (list,), "members": (list,)}
_RULE_OPTIONAL: Fields = {
    "datatype": _TEXT, "allMembers": (bool, type(None)), "exclusionary": (bool, type(None)), "live": (bool,),
    "fullname": _TEXT, "server": _TEXT, "elasticube": _TEXT,
}  # fmt: skip
_COUNTS: Fields = {
    f"{kind}{seats}": (int,) for kind in ("inUse", "max") for seats in ("Admins", "Designers", "Viewers")
}
OBJECT_OPERATIONS = (
    Operation(
        "GET", "/api/v1/dashboards/admin", query=_WHOLE | {"dashboardType", "ownerInfo"}, is_list=True,
        required={"oid": _TEXT, "title": _TEXT, "owner": _TEXT},
        optional={"shares": (list,), "datasource": (dict,), "parentFolder": _OPTIONAL_TEXT, "instanceType": _TEXT},
    ),
    Operation("GET", "/api/v1/dashboards/{id}/shares", statuses=frozenset({200, 404}), is_list=True,
              required={"shareId": _TEXT, "type": _TEXT}, optional={"rule": _TEXT, "subscribe": (bool,)}),
    Operation("GET", "/api/shares/dashboard/{id}", query=frozenset({"adminAccess"}), statuses=frozenset({200, 404}),
              required=_SHARED, optional={"sharesToNew": (list,), "allowChangeSubscription": (bool,)}),
    Operation("GET", "/api/v1/folders", query=_WHOLE, is_list=True, required={"oid": _TEXT, "name": _TEXT},
              optional={"parentId": _OPTIONAL_TEXT, "owner": _TEXT}),
    Operation("GET", "/api/elasticubes/servers", is_list=True, required={"address": _TEXT}),
    Operation("GET", "/api/elasticubes/servers/{id}", query=frozenset({"withPermissions", "offset", "count"}),
              statuses=frozenset({200, 404}), is_list=True, required={"_id": _TEXT, "title": _TEXT},
              optional={"shares": (list,), "createdUtc": _TEXT, "lastBuiltUtc": _TEXT, "sizeInMb": (int, float)}),
    Operation("GET", "/api/elasticubes/{id}/{id}/permissions", statuses=frozenset({200, 404}),
              required={"server": _TEXT, "title": _TEXT, "shares": (list,)}),
    Operation("GET", "/api/elasticubes/{id}/{id}/datasecurity", statuses=frozenset({200, 404}), is_list=True,
              required=_RULE, optional=_RULE_OPTIONAL),
    Operation("GET", "/api/v1/elasticubes/live", is_list=True, required={"oid": _TEXT, "title": _TEXT},
              optional={"type": _TEXT, "creator": _TEXT, "lastUpdated": _TEXT, "shares": (list,)}),
    Operation("GET", "/api/v1/elasticubes/live/{id}/datasecurity", statuses=frozenset({200, 404}), is_list=True,
              required=_RULE, optional=_RULE_OPTIONAL),
    Operation("GET", "/api/v1/account/get_license_info", required=_COUNTS,
              optional={"expirationDate": _TEXT, "trial": (bool,)}),
    Operation("GET", "/api/v1/settings/sso", required={"enabled": (bool,)},
              optional={"type": _TEXT, "userCreationDisabled": (bool,), "lowSecurityJwtSso": (bool,)}),
    Operation("GET", "/api/v1/settings/login_lockout", required={"enabled": (bool,)},
              optional={"maxFailedAttempts": (int,), "failedAttemptsPeriod": (int,), "lockoutPeriod": (int,)}),
    Operation("GET", "/api/v1/report_manager/reports", query=frozenset({"page", "limit"}),
              required={"data": (list,), "pagination": (dict,)}),
    Operation("GET", "/api/v1/report_manager/reports/{id}", query=frozenset({"recipientsInfo"}),
              statuses=frozenset({200, 404}),
              required={"recipients": (list,), "dashboards": (list,), "enabled": (bool,)}),
    Operation("GET", "/api/v1/tenants", is_list=True, required={"_id": _TEXT, "name": _TEXT}),
)  # fmt: skip
"""What can be read about dashboards, models, row rules and settings; the settings that hold tokens are not listed."""
OPERATIONS += OBJECT_OPERATIONS


def published(method: str, path: str) -> Operation | None:
    """Return the published call that a request is, or None."""
    return next((operation for operation in OPERATIONS if operation.matches(method, path)), None)


def violations(operation: Operation, document: Any) -> list[str]:
    """Return how an answer differs from the published shape, in words."""
    if operation.is_list != isinstance(document, list):
        return [f"{operation.path}: {type(document).__name__}"]
    found = []
    for record in document if operation.is_list else [document]:
        for name, types in (operation.required or {}).items():
            if not isinstance(record.get(name), types):
                found.append(f"{operation.path}: {name} is {record.get(name)!r}")
        for name, types in (operation.optional or {}).items():
            if name in record and not isinstance(record[name], types):
                found.append(f"{operation.path}: {name} is {record[name]!r}")
    return found
