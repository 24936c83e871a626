"""Which column of a roster file is which: by our names, by a mapping, or as a product exports them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.settings import ROSTER_COLUMNS
from pipeline.spelling import misspelt
from pipeline.tables.cells import TableError, column_name

__all__ = ["PRESETS", "Preset", "RosterColumns", "RosterFormat", "find_columns"]


@dataclass(frozen=True, slots=True)
class Preset:
    """How one product exports people.

    ``headings`` has the product's headings of each column: the first that holds something counts, except for aliases,
    which are taken from all of them. ``A + B`` joins two. ``statuses`` and ``types`` translate values, in lower case.
    """

    headings: Mapping[str, Sequence[str]]
    statuses: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


PRESETS = {
    # Columns: "Download a list of users in Azure portal", Microsoft Learn, Microsoft Entra ID.
    "entra": Preset(
        headings={
            "person_id": ("objectId", "id"),
            "email": ("mail", "userPrincipalName"),
            "aliases": ("userPrincipalName", "alternateEmailAddress"),
            "display_name": ("displayName", "givenName + surname"),
            "department": ("department",),
            "title": ("jobTitle",),
            "employment_status": ("accountEnabled",),
        },
        statuses={"true": "active", "false": "ended"},
    ),
    # Attributes: "Import users from a CSV file", Okta Help Center, whose template has every attribute of a profile;
    # fields of the report: "User accounts report", Okta Help Center. States: "User", Okta API reference.
    "okta": Preset(
        headings={
            "person_id": ("id", "login", "Okta username"),
            "email": ("email", "Primary email", "login", "Okta username"),
            "aliases": ("login", "Okta username", "secondEmail"),
            "display_name": ("displayName", "firstName + lastName", "User fullname"),
            "department": ("department",),
            "title": ("title",),
            "employment_status": ("status", "Okta user status"),
        },
        statuses={
            **dict.fromkeys(("active", "password_expired", "locked_out", "recovery", "provisioned"), "active"),
            **dict.fromkeys(("password expired", "locked out", "password reset", "pending user action"), "active"),
            **dict.fromkeys(("suspended", "staged"), "leave"),
            **dict.fromkeys(("deprovisioned", "deactivated"), "ended"),
        },
    ),
    # Columns: "Add or update multiple users from a CSV file", Google Workspace Admin Help; "Status [READ ONLY]" is in
    # the file that "Download users" gives. A suspended account is switched off, as a disabled one of Entra ID is.
    "google": Preset(
        headings={
            "person_id": ("Employee ID",),
            "email": ("Email Address [Required]", "Email Address"),
            "aliases": ("Work Secondary Email", "Home Secondary Email"),
            "display_name": ("First Name [Required] + Last Name [Required]", "First Name + Last Name"),
            "manager_email": ("Manager Email",),
            "department": ("Department",),
            "title": ("Employee Title",),
            "employment_status": ("Status [READ ONLY]", "Status"),
        },
        statuses={"active": "active", "suspended": "ended", "archived": "ended"},
    ),
    # Fields of a worker: "Workday - How do I send HRIS data via SFTP?", Merge Help Center, and "Account
    # Attributes", SailPoint Workday connector. A report has the columns that its owner chose.
    "workday": Preset(
        headings={
            "person_id": ("Employee ID", "Worker ID"),
            "email": ("Email - Primary Work", "Primary Work Email", "Work Email"),
            "display_name": ("Preferred Name", "Worker", "Legal Name", "First Name + Last Name"),
            "manager_email": ("Manager Email", "Manager Email - Primary Work"),
            "department": ("Department", "Supervisory Organization", "Cost Center"),
            "title": ("Business Title", "Job Title"),
            "employment_status": ("Active Status", "Worker Status"),
            "start_date": ("Hire Date",),
            "end_date": ("Termination Date", "Contract End Date"),
            "person_type": ("Worker Type",),
        },
        statuses={
            **dict.fromkeys(("yes", "true", "1", "active"), "active"),
            **dict.fromkeys(("no", "false", "0", "inactive", "terminated"), "ended"),
            "on leave": "leave",
        },
        types={"employee": "employee", "contingent worker": "contractor"},
    ),
    # Fields: "Field Names", BambooHR API documentation; a report shows them under the labels given here beside them.
    "bamboohr": Preset(
        headings={
            "person_id": ("employeeNumber", "Employee #", "Employee Number"),
            "email": ("workEmail", "Work Email"),
            "display_name": ("displayName", "fullName1", "Employee Name", "firstName + lastName"),
            "manager_email": ("supervisorEmail", "Supervisor Email"),
            "department": ("department",),
            "title": ("jobTitle", "Job Title"),
            "employment_status": ("status",),
            "start_date": ("hireDate", "Hire Date"),
            "end_date": ("terminationDate", "Termination Date"),
        },
        statuses={"active": "active", "inactive": "ended"},
    ),
}


@dataclass(frozen=True, slots=True)
class RosterFormat:
    """The configured format of a roster: a preset's name, and the file's heading of each column that differs."""

    preset: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def headings(self) -> set[str]:
        """Return every heading that is looked for, as a column's name."""
        offered = PRESETS[self.preset].headings.values() if self.preset else [ROSTER_COLUMNS]
        parts = {part for headings in offered for heading in headings for part in heading.split(" + ")}
        return {column_name(heading) for heading in parts | set(self.columns.values())}

    @property
    def statuses(self) -> Mapping[str, str]:
        """Return the file's values of ``employment_status`` that differ from ours."""
        return PRESETS[self.preset].statuses if self.preset else {}

    @property
    def types(self) -> Mapping[str, str]:
        """Return the file's values of ``person_type`` that differ from ours."""
        return PRESETS[self.preset].types if self.preset else {}


@dataclass(frozen=True, slots=True)
class RosterColumns:
    """The positions of each column in the file, for each of its headings those to join; and the headings not read."""

    positions: Mapping[str, Sequence[Sequence[int]]]
    unread: tuple[str, ...]

    def label(self, column: str, headings: Sequence[str]) -> str:
        """Return the file's heading of a column."""
        places = [index for joined in self.positions.get(column, ()) for index in joined]
        return " or ".join(headings[index] for index in places) or column


def find_columns(headings: Sequence[str], wanted: RosterFormat) -> RosterColumns:
    """Find the columns of a roster among the headings of a file; columns it does not know are left unread.

    Raises:
        TableError: there is no column ``email``, a heading that the configuration names is missing, or one looks like
            a known name misspelt.
    """
    by_name = {_key(heading): index for index, heading in enumerate(headings) if heading}
    positions: dict[str, Sequence[Sequence[int]]] = {}
    for column in ROSTER_COLUMNS:
        if column in wanted.columns:
            heading = wanted.columns[column]
            if _key(heading) not in by_name:
                raise TableError(
                    f"there is no column '{heading}', which [roster.columns] names for {column}",
                    f"the file has: {', '.join(filter(None, headings))}",
                )
            positions[column] = [[by_name[_key(heading)]]]
            continue
        offered = PRESETS[wanted.preset].headings.get(column, ()) if wanted.preset else (column,)
        found = [[by_name.get(_key(part), -1) for part in each.split(" + ")] for each in offered]
        found = [joined for joined in found if -1 not in joined]
        if found:
            positions[column] = found
    used = {index for places in positions.values() for joined in places for index in joined}
    unread = tuple(heading for index, heading in enumerate(headings) if heading and index not in used)
    if wanted.preset is None:
        _refuse_misspelt(unread, [column for column in ROSTER_COLUMNS if column not in positions])
    if "email" not in positions:
        expected = PRESETS[wanted.preset].headings["email"] if wanted.preset else ("email",)
        names = " or ".join(f"'{name}'" for name in expected)
        raise TableError(
            f"the roster has no {names} column",
            f"the columns are: {', '.join(ROSTER_COLUMNS)}; name your own under [roster.columns]",
        )
    return RosterColumns(positions, unread)


def _refuse_misspelt(unread: Sequence[str], missing: Collection[str]) -> None:
    for heading in unread:
        match = misspelt(column_name(heading), missing)
        if match:
            raise TableError(
                f"unknown roster column '{heading}'",
                f"did you mean '{match}'? Rename it, or name it under [roster.columns] as {match} = \"{heading}\"",
            )


def _key(heading: str) -> str:
    """Return what is compared of a heading: products write ``workEmail`` and ``Work Email`` for the same field."""
    return re.sub(r"[^\w#]|_", "", heading.lower())
