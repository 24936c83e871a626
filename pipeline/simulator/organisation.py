"""The synthetic organisation before anyone is hired: roles, departments, titles and their groups.

Access is regular on purpose. All holders of a title have the title's role, the department's group and the title's
group; every second one is also in a working group and an office group. So the planted conditions alone decide what is
common or rare among peers, not chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BUILTIN_GROUPS",
    "DISPLAY_NAMES",
    "PRIVILEGED_DEPARTMENT",
    "ROLES",
    "STAFF",
    "Department",
    "RoleSpec",
    "Title",
]

BUILTIN_GROUPS = ("Everyone", "Admins", "All users in system")
"""Groups of every instance. Only the group side lists their members."""

DISPLAY_NAMES = {
    "super": "Sys. Admin",
    "admin": "Admin",
    "tenantAdmin": "Tenant Admin",
    "dataAdmin": "Data Admin",
    "dataDesigner": "Data Designer",
    "contributor": "Designer",
    "consumer": "Viewer",
}
"""The built-in roles: the name in the API, and the display name."""


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role to create. ``rank`` is the rank that a review gives it, or None if it has none."""

    name: str
    display_name: str
    rank: int | None
    privileged: bool
    base: str | None
    manifest: dict[str, Any]


_VIEW = {"dashboards": {"view": True}, "users": {"view": True, "create": False, "delete": False}}
_DESIGN = {"dashboards": {"view": True, "create": True, "edit": True}, "groups": {"list": True}}
_MODEL = {**_DESIGN, "elasticubes": {"create": True, "edit": True}}
_ADMIN = {
    **_MODEL,
    "users": {"create": True, "edit": True, "delete": True},
    "groups": {"create": True, "edit": True, "delete": True},
}

ROLES = (
    RoleSpec("super", "Sys. Admin", 100, True, None, {**_ADMIN, "tenants": True}),
    RoleSpec("admin", "Admin", 90, True, None, _ADMIN),
    RoleSpec("tenantAdmin", "Tenant Admin", 80, True, None, _ADMIN),
    RoleSpec("dataAdmin", "Data Admin", 70, True, None, _MODEL),
    # an edited built-in role: its holders may change other accounts
    RoleSpec("dataDesigner", "Data Designer", 50, True, None, {**_MODEL, "users": {"view": True, "editRole": True}}),
    RoleSpec("contributor", "Designer", 30, False, None, _DESIGN),
    RoleSpec("consumer", "Viewer", 10, False, None, _VIEW),
    RoleSpec("custom_productAnalyst", "Product Analyst", 30, False, "contributor", _DESIGN),
    RoleSpec("custom_userDesk", "User Desk", 30, True, "contributor", {"admin": {"users": {"manageAll": True}}}),
    RoleSpec("custom_auditReader", "Audit Reader", 10, False, None, _VIEW),  # ranked by policy/roles.csv alone
    RoleSpec("custom_partnerAccess", "Partner Access", None, True, None, _VIEW),
    RoleSpec("custom_retiredDesigner", "Retired Designer", None, True, "legacyDesigner", _DESIGN),
)


@dataclass(slots=True)
class Title:
    """A job title. ``bundles`` are four sets of group ids, which its holders get in turn."""

    name: str
    role: str
    department: Department
    share: int
    group_id: str = ""
    bundles: tuple[list[str], ...] = ()
    holders: int = 0


@dataclass(slots=True)
class Department:
    """A department. Its accounts come from the directory if ``is_directory``, else from single sign-on."""

    name: str
    is_directory: bool
    working_groups: tuple[str, str]
    titles: list[Title] = field(default_factory=list)
    group_id: str = ""
    manager_email: str = ""


STAFF: tuple[tuple[str, bool, tuple[str, str], tuple[tuple[str, str, int], ...]], ...] = (
    (
        "Sales",
        False,
        ("Pipeline", "Forecast"),
        (("Account Executive", "consumer", 9), ("Sales Planner", "consumer", 2)),
    ),
    (
        "Customer Success",
        False,
        ("Renewals", "Onboarding"),
        (("Success Manager", "consumer", 5), ("Support Engineer", "consumer", 4)),
    ),
    (
        "Marketing",
        False,
        ("Campaigns", "Web Traffic"),
        (("Campaign Manager", "consumer", 3), ("Marketing Analyst", "contributor", 2)),
    ),
    (
        "Finance",
        False,
        ("Payments", "Approvals"),
        (("Accountant", "consumer", 4), ("Financial Analyst", "contributor", 3)),
    ),
    (
        "Operations",
        True,
        ("Stock", "Deliveries"),
        (("Operations Specialist", "consumer", 5), ("Logistics Planner", "consumer", 2)),
    ),
    ("People", False, ("Hiring", "Learning"), (("People Partner", "consumer", 2),)),
    ("Legal", False, ("Contracts", "Privacy"), (("Counsel", "consumer", 1),)),
    ("Engineering", True, ("Incidents", "Releases"), (("Software Engineer", "consumer", 5),)),
    (
        "Product",
        False,
        ("Roadmap", "Usage"),
        (("Product Manager", "consumer", 1), ("Product Analyst", "custom_productAnalyst", 2)),
    ),
)
"""Department, from the directory or not, its two working groups, and its titles with role and share of the staff."""

PRIVILEGED_DEPARTMENT: tuple[str, bool, tuple[str, str], tuple[tuple[str, str, int], ...]] = (
    "Data Platform",
    False,
    ("Platform Alerts", "Platform Changes"),
    (
        ("BI Administrator", "admin", 0),
        ("Data Platform Engineer", "dataAdmin", 0),
        ("Report Engineer", "dataDesigner", 0),
    ),
)
"""The department with the privileged titles; ordinary hiring leaves it out."""
