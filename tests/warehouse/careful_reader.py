"""What a careful reader expects of the rules about one account, in plain Python."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipeline.simulator.answer_key import PlantedRule

AS_OF = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
LATEST = AS_OF + timedelta(hours=24)
MILLISECOND = timedelta(milliseconds=1)
RANKS = {"r-super": 100, "r-admin": 90, "r-data": 70, "r-viewer": 10, "r-designer": 30, "r-odd": None}
ROLES = [
    {"_id": "r-super", "name": "super"},
    {"_id": "r-admin", "name": "admin"},
    {"_id": "r-data", "name": "dataAdmin"},
    {"_id": "r-viewer", "name": "CONSUMER"},
    {"_id": "r-designer", "name": "custom_design", "baseRoleName": "contributor"},
    {"_id": "r-odd", "name": "custom_odd"},
]
GROUPS = [{"_id": "g-all", "name": "Everyone"}, {"_id": "g-sales", "name": "Sales"}]
ROSTER = """person_id,email,employment_status,end_date,person_type
p-here,here@example.com,active,,employee
p-today,today@example.com,active,2026-01-01,contractor
p-tomorrow,tomorrow@example.com,active,2026-01-02,contractor
p-yesterday,yesterday@example.com,active,2025-12-31,contractor
p-ended,ended@example.com,ended,,employee
p-endless,endless@example.com,active,,contractor
p-blank,blank@example.com,,,
p-robot,robot@example.com,active,,service
"""
#: status, end, type of each person.
PEOPLE: dict[str, tuple[str | None, date | None, str | None]] = {
    "here": ("active", None, "employee"),
    "today": ("active", date(2026, 1, 1), "contractor"),
    "tomorrow": ("active", date(2026, 1, 2), "contractor"),
    "yesterday": ("active", date(2025, 12, 31), "contractor"),
    "ended": ("ended", None, "employee"),
    "endless": ("active", None, "contractor"),
    "blank": (None, None, None),
    "robot": ("active", None, "service"),
}


@dataclass(frozen=True)
class Moment:
    """A value as the source may give it: absent, unreadable, or a time."""

    text: Any
    at: datetime | None = None

    @property
    def is_absent(self) -> bool:
        return self.text is None or not str(self.text).strip()

    @property
    def believed(self) -> datetime | None:
        return self.at if self.at is not None and self.at <= LATEST else None


def moment(at: datetime) -> Moment:
    return Moment(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), at)


def around(*days: int) -> list[Moment]:
    return [
        moment(AS_OF - timedelta(days=n) + shift)
        for n in days
        for shift in (-MILLISECOND, 0 * MILLISECOND, MILLISECOND)
    ]


ODD = [
    Moment(None),
    Moment(""),
    Moment("  "),
    Moment("yesterday"),
    Moment("1970-01-01T00:00:00Z"),
    Moment("2025-13-01T00:00:00Z"),
    Moment("2025-09-01", datetime(2025, 9, 1, tzinfo=UTC)),
    Moment("2025-09-01T12:00:00", datetime(2025, 9, 1, 12, tzinfo=UTC)),
    Moment("2025-12-31T23:30:00-02:00", datetime(2026, 1, 1, 1, 30, tzinfo=UTC)),
    moment(LATEST),
    moment(LATEST + MILLISECOND),
]


@dataclass(frozen=True)
class Account:
    active: Any
    role_id: str | None
    login: Moment
    activity: Moment
    created: Moment
    updated: Moment
    is_invited: bool
    email: str | None
    groups: tuple[str, ...]
    first_name: str | None
    last_name: str | None

    def record(self, account_id: str) -> dict[str, Any]:
        fields = {
            "_id": account_id,
            "userName": f"login-{account_id}",
            "email": self.email,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "roleId": self.role_id,
            "active": self.active,
            "groups": list(self.groups),
            "lastLogin": self.login.text,
            "lastActivity": self.activity.text,
            "created": self.created.text,
            "lastUpdated": self.updated.text,
        }
        return fields | ({"pendingExpiration": "2026-02-01T00:00:00Z"} if self.is_invited else {})

    @property
    def seen_at(self) -> datetime | None:
        return max((m.believed for m in (self.login, self.activity) if m.believed), default=None)

    @property
    def login_state(self) -> str:
        if self.seen_at:
            return "seen"
        return "never" if self.login.is_absent and self.activity.is_absent else "unknown"

    @property
    def status(self) -> str:
        if self.active is True or self.active == "true":
            return "active"
        if self.active is not False:
            return "unknown"
        return "pending" if self.is_invited and self.login_state == "never" else "inactive"

    @property
    def rank(self) -> int | None:
        return RANKS.get(self.role_id or "")

    @property
    def privileged(self) -> bool:
        return self.rank is None or self.rank >= 70

    @property
    def address(self) -> str:
        """Return the address as it is compared: trimmed, without invisible characters, NFC, lower case."""
        seen = "".join(c for c in self.email or "" if unicodedata.category(c) not in ("Cc", "Cf"))
        return unicodedata.normalize("NFC", seen.strip()).lower()

    @property
    def domain(self) -> str | None:
        if self.address.count("@") != 1 or " " in self.address or "," in self.address:
            return None
        return self.address.partition("@")[2] or None

    @property
    def person(self) -> tuple[str | None, date | None, str | None] | None:
        local, _, domain = self.address.partition("@")
        return PEOPLE.get(local.partition("+")[0]) if domain == "example.com" else None

    @property
    def account_type(self) -> str:
        if self.person:
            return "service" if self.person[2] == "service" else "human"
        if self.address.partition("@")[0] == "info":
            return "shared"
        return "human" if self.first_name and self.last_name else "unknown"


def older(at: datetime | None, days: int) -> bool:
    return at is not None and at < AS_OF - timedelta(days=days)


Verdict = tuple[str, str] | None
"""``failed`` and the severity, or ``unknown`` and nothing; None where the rule passes or does not ask."""
UNKNOWN = ("unknown", "")


def expected_stale_account(a: Account) -> Verdict:
    if a.status not in ("active", "unknown") or a.privileged:
        return None
    if "unknown" in (a.status, a.login_state):
        return UNKNOWN
    return ("failed", "high" if older(a.seen_at, 180) else "medium") if older(a.seen_at, 90) else None


def expected_stale_privileged_account(a: Account) -> Verdict:
    if a.status not in ("active", "unknown") or not a.privileged:
        return None
    if "unknown" in (a.status, a.login_state):
        return UNKNOWN
    return ("failed", "critical" if older(a.seen_at, 90) else "high") if older(a.seen_at, 45) else None


def expected_never_logged_in(a: Account) -> Verdict:
    if a.status not in ("active", "unknown"):
        return None
    if "unknown" in (a.status, a.login_state):
        return UNKNOWN
    is_old = a.created.believed is None or older(a.created.believed, 14 if a.privileged else 30)
    return ("failed", "high" if a.privileged else "medium") if a.login_state == "never" and is_old else None


def expected_login_unknown(a: Account) -> Verdict:
    if a.status == "unknown":
        return UNKNOWN
    return ("failed", "info") if a.status == "active" and a.login_state == "unknown" else None


def expected_stale_invitation(a: Account) -> Verdict:
    if a.status == "unknown" or (a.status == "pending" and a.created.believed is None):
        return UNKNOWN
    return ("failed", "low") if a.status == "pending" and older(a.created.believed, 14) else None


def expected_inactive_with_access(a: Account) -> Verdict:
    if a.status == "unknown":
        return UNKNOWN
    holds = set(a.groups) - {"g-all"} or a.rank is None or a.rank > 10
    if a.status != "inactive" or not holds:
        return None
    since = a.updated.believed or a.seen_at
    if since is None:
        return UNKNOWN
    return ("failed", "medium" if a.privileged else "low") if older(since, 30) else None


def expected_leaver_active(a: Account) -> Verdict:
    if a.status not in ("active", "unknown"):
        return None
    if a.status == "unknown" or a.person is None:
        return UNKNOWN
    status, end, _ = a.person
    if status == "ended" or (end is not None and end <= AS_OF.date()):
        return ("failed", "critical")
    return UNKNOWN if status is None and end is None else None


def expected_leaver_login_after_end(a: Account) -> Verdict:
    if a.person is None:
        return UNKNOWN
    status, end, _ = a.person
    if a.login_state == "never":
        return None
    if end is None:
        return UNKNOWN if status in (None, "ended") else None
    if a.seen_at is None:
        return UNKNOWN
    if a.seen_at.date() > end:
        return ("failed", "critical")
    # what cannot be read or believed may be a later day
    is_hidden = any(m.believed is None and not m.is_absent for m in (a.login, a.activity))
    return UNKNOWN if is_hidden else None


def expected_contract_expired(a: Account) -> Verdict:
    if a.status not in ("active", "unknown") or (a.person and a.person[2] not in ("contractor", None)):
        return None
    if a.status == "unknown" or a.person is None or a.person[2] is None:
        return UNKNOWN
    end = a.person[1]
    if end is None:
        return ("failed", "low")
    return ("failed", "high") if end <= AS_OF.date() else None


def expected_orphaned_account(a: Account) -> Verdict:
    if a.status not in ("active", "unknown"):
        return None
    if a.status == "unknown":
        return UNKNOWN
    return ("failed", "high") if a.person is None else None


def expected_external_domain(a: Account) -> Verdict:
    if a.status not in ("active", "unknown"):
        return None
    if a.status == "unknown" or a.domain is None:
        return UNKNOWN
    if a.domain == "example.com":
        return None
    if a.privileged and a.domain == "gmail.com":
        return ("failed", "critical")
    return ("failed", "high" if a.privileged or (a.rank or 0) >= 30 else "medium")


def expected_missing_email(a: Account) -> Verdict:
    if a.status not in ("active", "unknown") or a.account_type != "human":
        return None
    if a.status == "unknown":
        return UNKNOWN
    return ("failed", "low") if a.domain is None else None


def expected_unclassified_role(a: Account) -> Verdict:
    return ("failed", "medium") if a.rank is None else None


def expected_shared_account(a: Account) -> Verdict:
    if a.status not in ("active", "unknown"):
        return None
    if a.status == "unknown":
        return UNKNOWN
    is_shared = a.address.partition("@")[0] == "info" or not (a.first_name or a.last_name)
    return ("failed", "high" if a.privileged else "medium") if is_shared else None


EXPECTED: dict[str, Callable[[Account], Verdict]] = {
    PlantedRule.STALE_ACCOUNT: expected_stale_account,
    PlantedRule.STALE_PRIVILEGED_ACCOUNT: expected_stale_privileged_account,
    PlantedRule.NEVER_LOGGED_IN: expected_never_logged_in,
    PlantedRule.LOGIN_UNKNOWN: expected_login_unknown,
    PlantedRule.STALE_INVITATION: expected_stale_invitation,
    PlantedRule.INACTIVE_WITH_ACCESS: expected_inactive_with_access,
    PlantedRule.LEAVER_ACTIVE: expected_leaver_active,
    PlantedRule.LEAVER_LOGIN_AFTER_END: expected_leaver_login_after_end,
    PlantedRule.CONTRACT_EXPIRED: expected_contract_expired,
    PlantedRule.ORPHANED_ACCOUNT: expected_orphaned_account,
    PlantedRule.EXTERNAL_DOMAIN: expected_external_domain,
    PlantedRule.MISSING_EMAIL: expected_missing_email,
    PlantedRule.UNCLASSIFIED_ROLE: expected_unclassified_role,
    PlantedRule.SHARED_ACCOUNT: expected_shared_account,
}
accounts = st.builds(
    Account,
    active=st.sampled_from([True, True, True, False, False, None, "true", "yes", 1]),
    role_id=st.sampled_from([*RANKS, "r-viewer", "r-gone", None]),
    login=st.sampled_from([*around(45, 90, 180), *ODD]),
    activity=st.sampled_from([*around(45, 90, 180), *[Moment(None)] * 9, *ODD]),
    created=st.sampled_from([*around(14, 30), *ODD]),
    updated=st.sampled_from([*around(30), *ODD]),
    is_invited=st.booleans(),
    email=st.sampled_from(
        [f"{name}@example.com" for name in PEOPLE]
        + ["HERE@Example.COM", "today+bi@example.com", "nobody@example.com", "info@example.com", "x@else.test"]
        + [
            "y@GMAIL.com",
            "z@sub.example.com",
            None,
            "",
            "none",
            "a@b@example.com",
            "a,b@example.com",
            "é@example.com",
            "\u00a0Ended@example.com\u3000",
            "\tyesterday@example.com\u200b",
            "end\u00aded@example.com",
            "\u2060",
        ]
    ),
    groups=st.sampled_from([(), ("g-all",), ("g-sales",), ("g-all", "g-sales"), ("g-gone",)]),
    first_name=st.sampled_from(["Ada", "Ada", None]),
    last_name=st.sampled_from(["Test", "Test", None]),
)
