"""The names of SCIM attributes, as RFC 7643 writes them.

The RFC compares names without regard to case (section 2.1), at every level: ``UserName`` is ``userName``. The SQL
that reads the records compares names exactly, so known names are changed here to the spelling of the RFC. Unknown
names are kept as they came, with everything in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["canonical"]

_Names = Mapping[str, "Attribute"]
Attribute = tuple[str, "_Names | None"]


def _names(*simple: str, **complex_: _Names) -> _Names:
    found: dict[str, Attribute] = {name.lower(): (name, None) for name in simple}
    return found | {name.lower(): (name, inner) for name, inner in complex_.items()}


_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_VALUES = _names("value", "display", "type", "primary", "$ref")
_PERSON_NAME = _names("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_ADDRESS = _names("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary")
_META = _names("resourceType", "created", "lastModified", "location", "version")
_MANAGER = _names("value", "$ref", "displayName")
_EXTENSION = _names("employeeNumber", "costCenter", "organization", "division", "department", manager=_MANAGER)
#: Attributes of users and groups (sections 3.1, 4.1 to 4.3); no name has two meanings.
_RECORD: _Names = {
    _ENTERPRISE.lower(): (_ENTERPRISE, _EXTENSION),
    **_names(
        *("id", "externalId", "schemas", "userName", "displayName", "nickName", "profileUrl", "title", "userType"),
        *("preferredLanguage", "locale", "timezone", "active", "password"),
        name=_PERSON_NAME,
        meta=_META,
        addresses=_ADDRESS,
        **dict.fromkeys(
            ("emails", "phoneNumbers", "ims", "photos", "groups", "entitlements", "roles", "x509Certificates"),
            _VALUES,
        ),
        members=_VALUES,
    ),
}


def canonical(record: Any) -> Any:
    """Return a record with its known names, at every level, as the RFC writes them."""
    return _renamed(record, _RECORD)


def _renamed(value: Any, names: _Names) -> Any:
    if isinstance(value, list):
        return [_renamed(element, names) if isinstance(element, dict) else element for element in value]
    if not isinstance(value, dict):
        return value
    renamed: dict[str, Any] = {}
    for key, inner in value.items():
        name, inside = names.get(key.lower(), (key, None))
        if name != key and (name in value or name in renamed):
            name = key  # present twice: the correct spelling wins, else the first one, and neither is lost
        renamed[name] = inner if inside is None else _renamed(inner, inside)
    return renamed
