"""Settings, seats, tenants and mailed reports of the synthetic organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.simulator.objects import SETTINGS_SECRET
from pipeline.simulator.organisation import DISPLAY_NAMES
from pipeline.simulator.population import DOMAIN, Population

__all__ = ["LOCKOUT", "report", "seat_class", "seats", "sign_on", "tenants"]

Record = dict[str, Any]

_CLASSES = {
    "super": "Admins",
    "admin": "Admins",
    "tenantAdmin": "Admins",
    "dataAdmin": "Admins",
    "dataDesigner": "Designers",
    "contributor": "Designers",
    "consumer": "Viewers",
}
LOCKOUT: Record = {"enabled": False, "maxFailedAttempts": 5, "failedAttemptsPeriod": 15, "lockoutPeriod": 30}
"""The settings of the login lockout: it is off. Periods are in minutes."""


def sign_on() -> Record:
    """Return the settings of single sign-on, weak in two ways, with canaries in place of secrets."""
    return {
        "enabled": True,
        "type": "saml",
        "userCreationDisabled": False,  # accounts are made at the first login
        "lowSecurityJwtSso": True,
        "syncGroupsFromSamlToken": True,
        "loginUrl": f"https://login.{DOMAIN}/saml",
        "logoutUrl": f"https://login.{DOMAIN}/logout",
        "sharedSecret": f"{SETTINGS_SECRET}-jwt",
        "certificate": f"-----BEGIN CERTIFICATE-----\n{SETTINGS_SECRET}-certificate\n-----END CERTIFICATE-----",
        "saml": {"privateKey": f"{SETTINGS_SECRET}-key", "issuer": f"https://login.{DOMAIN}"},
    }


def tenants(population: Population) -> tuple[Record, ...]:
    """Return the tenants: the main one alone, which all accounts belong to."""
    tenant_id = next(user["tenantId"] for user in population.users if user.get("tenantId"))
    return ({"_id": tenant_id, "name": "system", "displayName": "System", "isActive": True},)


def report(report_id: str, dashboards: list[str], recipients: list[Record], *, is_enabled: bool = True) -> Record:
    """Return a mailed report. Recipients are ``{type: user|group|email, id, email}``."""
    return {
        "_id": report_id,
        "name": f"Report {report_id[-4:]}",
        "enabled": is_enabled,
        "schedule": {"type": "daily", "hour": 6},
        "dashboards": [{"id": oid} for oid in dashboards],
        "recipients": recipients,
    }


def seat_class(role: Record | None) -> str:
    """Return the class of seat of a role: ``Admins``, ``Designers`` or ``Viewers``.

    A role that is not built in has the class of its base role. A server counts all others as viewers.
    """
    names = {display: name for name, display in DISPLAY_NAMES.items()}
    for name in ((role or {}).get("name"), (role or {}).get("baseRoleName")):
        if (found := _CLASSES.get(names.get(name or "", name or ""))) is not None:
            return found
    return "Viewers"


def seats(users: list[Record], roles: dict[str, Record], population: Population) -> Record:
    """Return the seats in use, by active accounts and pending invitations, and those that were bought."""
    used = {"Admins": 0, "Designers": 0, "Viewers": 0}
    for user in users:
        if user.get("active") is True or "pendingExpiration" in user:
            used[seat_class(roles.get(user.get("roleId") or ""))] += 1
    answer: Record = {}
    for name, count in used.items():
        answer[f"inUse{name}"] = count
        answer[f"max{name}"] = (count // 10 + 2) * 10
    expires = population.midnight + timedelta(days=200)
    return {**answer, "expirationDate": expires.strftime("%Y-%m-%dT00:00:00.000Z"), "trial": False}
