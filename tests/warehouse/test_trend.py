"""The trend and the due dates of a year, compared with an independent computation in plain Python.

Accounts fall out of use, are used again, deactivated and accepted as a risk over four reported quarters. Between them
are extracts that nobody reported, that are not complete, and in which the rule was off.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from pipeline import resources
from pipeline.reporting import trend
from pipeline.reporting.frames import to_frame
from pipeline.warehouse import chain, retention, snapshots
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.builds import EXCEPTIONS, behind, only
from tests.warehouse.conftest import House

STALE_ACCOUNT = rule("Stale account")
ROSTER = (
    "person_id,email,manager_email,display_name,employment_status\n"
    "p0,a0@example.com,Boss@Example.com,Ann,active\n"
    "p1,a1@example.com,a1@example.com,Own Manager,active\n"
    "p2,a2@example.com,left@example.com,Two,active\n"
    "p3,left@example.com,boss@example.com,Left,ended\n"
)
SERVICE = "user_name,email,owner_email,purpose,review_by\na3@example.com,,ops@example.com,loads,2030-01-01\n"
DAYS = {"high": 5, "medium": 40}
KINDS = ("new", "resolved", "open", "reopened", "evaluated_again", "not_evaluated")
TABLES = ("reports.trend", "reports.trend_figures", "reports.findings", "reports.summary")
#: Day of each extract -> what is special about it.
YEAR = {
    "2026-01-05": {"reported"}, "2026-02-10": set(), "2026-03-01": {"rule off"}, "2026-04-05": {"reported"},
    "2026-05-10": {"partial"}, "2026-06-01": {"partial", "reported"}, "2026-07-05": {"reported"},
    "2026-08-20": set(), "2026-09-15": {"partial"}, "2026-10-05": {"reported"},
}  # fmt: skip
LATER = datetime(2027, 1, 1)  # noqa: DTZ001 - UTC, as stored
#: The exception for the last account covers the third report and has expired by the fourth.
ACCEPTED, ACCEPTED_UNTIL = "a11", date(2026, 8, 1)


@dataclass
class Known:
    """What the plain computation knows of the finding about one account."""

    first_seen: datetime
    due_from: datetime
    returned: int | None = None
    fixed_at: datetime | None = None
    is_gone: bool = False


@dataclass
class Plain:
    """One extract: the findings with their severity and status, and what is expected of them."""

    number: int
    as_of: datetime
    found: dict[str, tuple[str, str]]
    due: dict[str, tuple[date, bool, int]] = field(default_factory=dict)

    def open(self) -> dict[str, str]:
        return {account: severity for account, (severity, status) in self.found.items() if status == "open"}


class Reader:
    """Follow the findings from extract to extract."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.count = 0

    def read(self, as_of: datetime, seen: dict[str, datetime | None], active: set[str], special: set[str]) -> Plain:
        """``seen`` are the accounts in the extract; one whose last login cannot be read is None."""
        self.count += 1
        found = {}
        for account in active & seen.keys() if "rule off" not in special else ():
            last = seen[account]
            if last is not None and last < as_of - timedelta(days=90):
                severity = "high" if last < as_of - timedelta(days=180) else "medium"
                is_accepted = account == ACCEPTED and as_of.date() <= ACCEPTED_UNTIL and as_of.month >= 6
                found[account] = (severity, "accepted_risk" if is_accepted else "open")
        for account in self.known.keys() - found.keys():
            cannot_tell = special & {"partial", "rule off"} or (
                account in active and seen.get(account, as_of) is None
            )
            if not cannot_tell and not self.known[account].is_gone:
                self.known[account].is_gone, self.known[account].fixed_at = True, as_of
        plain = Plain(self.count, as_of, found)
        for account, (severity, status) in found.items():
            known = self.known.setdefault(account, Known(as_of, as_of))
            if known.is_gone:
                known.due_from, known.returned, known.is_gone = as_of, self.count, False
            due = known.due_from.date() + timedelta(days=DAYS[severity])
            plain.due[account] = (
                due,
                status == "open" and as_of.date() > due,
                (as_of.date() - known.first_seen.date()).days,
            )
        return plain

    def trend(self, now: Plain, before: Plain | None, is_partial: bool) -> dict[str, Counter[str] | None]:
        """Return the new, resolved, open and reopened findings by severity."""
        if before is None:
            return dict.fromkeys(KINDS) | {"open": Counter(now.open().values())}
        came = {account: severity for account, severity in now.open().items() if account not in before.open()}
        new = {a: s for a, s in came.items() if self.known[a].first_seen > before.as_of}
        reopened = {
            a: s for a, s in came.items()
            if a not in new and (a in before.found or (self.known[a].returned or 0) > before.number)
        }  # fmt: skip
        resolved = {
            a: s for a, s in before.open().items()
            if (a in now.found and a not in now.open()) or (a not in now.found and self.known[a].is_gone)
        }  # fmt: skip
        again = {a: s for a, s in came.items() if a not in new and a not in reopened}
        lost = {a: s for a, s in before.open().items() if a not in now.open() and a not in resolved}
        return {
            "new": Counter(new.values()), "resolved": None if is_partial else Counter(resolved.values()),
            "open": Counter(now.open().values()), "reopened": Counter(reopened.values()),
            "evaluated_again": Counter(again.values()),
            "not_evaluated": None if is_partial else Counter(lost.values()),
        }  # fmt: skip

    def days_to_fix(self, now: Plain, before: Plain) -> list[int]:
        gone = [self.known[a] for a in before.open() if a not in now.found and self.known[a].is_gone]
        return sorted((k.fixed_at.date() - k.due_from.date()).days for k in gone if k.fixed_at)


def mark_reported(house: House, snapshot_id: str) -> None:
    [(build_id,)] = house.rows("select build_id from reference.snapshot")
    chain.record(house.connection, chain.SealedReport(snapshot_id, build_id, "0" * 64, snapshot_id, None, LATER))


@pytest.fixture
def small(house: Any, models: list[Model]) -> Any:
    house.models = behind(only(models, STALE_ACCOUNT), *TABLES)
    return house


def test_a_year_of_trend_and_due_dates(small: Any, source: Any, make_user: Callable[..., Any]) -> None:
    chance = random.Random(1)
    reader, reports, last_logins, active = Reader(), [], {}, {f"a{n}" for n in range(12)}
    for n in range(12):
        last_logins[f"a{n}"] = datetime.fromisoformat("2026-01-01") - timedelta(
            days=chance.choice([3, 95, 100, 170, 200])
        )
    last_logins[ACCEPTED] = datetime.fromisoformat("2025-09-20")
    seen_kinds: Counter[str] = Counter()
    for day, special in YEAR.items():
        start = datetime.fromisoformat(day)
        for account in sorted(last_logins.keys() - {ACCEPTED}):
            event = chance.random()
            if event < 0.25:
                last_logins[account] = start - timedelta(days=chance.randrange(9))
            elif event < 0.35:
                active ^= {account}
        as_of = start + timedelta(minutes=1)
        unreadable = {"a5"} if day in {"2026-02-10", "2026-04-05"} else set()
        missing = {"a6", "a7"} if "partial" in special else set()
        seen = {a: None if a in unreadable else at for a, at in last_logins.items() if a not in missing}
        now = reader.read(as_of, seen, active, special)

        snapshot_id = start.strftime("%Y%m%dT000000Z-0000")
        users = [
            make_user(a, lastLogin="yesterday" if at is None else at.isoformat() + "Z", active=a in active)
            for a, at in seen.items()
        ]
        outcome = {"observations": ()} if "partial" in special else {}
        snapshot = small.land(snapshot_id, {"prod": source(users, outcome=outcome)})
        accepted = f"{STALE_ACCOUNT},,{ACCEPTED},known,Ann,{ACCEPTED_UNTIL}\n" if as_of.month >= 6 else ""
        small.build(
            snapshot, roster=ROSTER,
            policy={"exceptions.csv": EXCEPTIONS + accepted, "service_accounts.csv": SERVICE},
            overrides={STALE_ACCOUNT: {"enabled": "rule off" not in special}},
            configured={"due_days": DAYS, "default_owner": "CISO@example.com"},
        )  # fmt: skip

        rows = small.rows(
            "select account_id, severity, status, due_at, overdue, age_days, first_seen_at, owner_email, person_id"
            " from reports.findings order by 1"
        )
        assert {row[0]: row[1:3] for row in rows} == now.found
        assert {row[0]: row[3:6] for row in rows} == now.due
        assert {row[0]: row[6] for row in rows} == {a: reader.known[a].first_seen for a in now.found}
        owners = {"a0": "boss@example.com", "a3": "ops@example.com"}
        assert {row[0]: row[7] for row in rows} == {a: owners.get(a, "ciso@example.com") for a in now.found}
        assert {row[0]: row[8] for row in rows} == {
            a: f"p{a[1:]}" if a in {"a0", "a1", "a2"} else None for a in now.found
        }
        counted = dict(small.rows("select key, value from reports.summary where section = 'due'"))
        soon = [due for a, (due, is_overdue, _) in now.due.items() if not is_overdue and now.found[a][1] == "open"]
        assert counted == {
            "overdue": sum(is_overdue for _, is_overdue, _ in now.due.values()),
            "due_within_7_days": sum(due <= as_of.date() + timedelta(days=7) for due in soon),
        }

        before = reports[-1][1] if reports else None
        expected = reader.trend(now, before, "partial" in special)
        assert trend_of(small, snapshot_id) == expected
        fixed = reader.days_to_fix(now, before) if before else []
        assert figures_of(small, snapshot_id)["median_days_to_fix"] == (
            None if not fixed else (fixed[(len(fixed) - 1) // 2] + fixed[len(fixed) // 2]) / 2
        )
        assert figures_of(small, snapshot_id)["stale_accounts"] == (
            None if "rule off" in special else len(now.open())
        )
        seen_kinds.update(kind for kind, counts in expected.items() if counts and sum(counts.values()))
        seen_kinds["overdue"] += counted["overdue"] > 0
        if "reported" in special:
            mark_reported(small, snapshot_id)
            if "partial" not in special:  # what is missing from an incomplete extract is no basis for a trend
                reports.append((snapshot_id, now, expected))

    assert set(seen_kinds) == {*KINDS, "overdue"}  # the year had some of everything
    for snapshot_id, _, expected in reports:  # what each report said is what the last one shows of it
        assert trend_of(small, snapshot_id) == expected
    assert len(small.rows("select distinct snapshot_id from reports.trend")) == len(reports)


def trend_of(house: Any, snapshot_id: str) -> dict[str, Counter[str] | None]:
    """Return the points of the trend of one snapshot, without zeros."""
    rows = house.rows(f"select severity, {', '.join(KINDS)} from reports.trend where snapshot_id = '{snapshot_id}'")
    assert len(rows) == 5
    columns = {name: {row[0]: row[position] for row in rows} for position, name in enumerate(KINDS, start=1)}
    return {
        name: None if None in values.values() else Counter({s: n for s, n in values.items() if n})
        for name, values in columns.items()
    }


def figures_of(house: Any, snapshot_id: str) -> dict[str, float | None]:
    return dict(house.rows(f"select figure, value from reports.trend_figures where snapshot_id = '{snapshot_id}'"))


@pytest.fixture
def monthly(small: Any, source: Any, make_user: Callable[..., Any]) -> Callable[..., str]:
    """Give a function that builds the extract of a month with one stale account, and others that are not in use."""

    def build(month: int, *also_stale: str, as_of: datetime | None = None, enabled: bool = True) -> str:
        start = datetime(2026, month, 1)  # noqa: DTZ001 - UTC, as stored
        stale = {name: make_user(name, lastLogin="2025-01-01T00:00:00Z") for name in ("old", *also_stale)}
        recent = (start - timedelta(days=1)).isoformat() + "Z"
        users = {name: make_user(name, lastLogin=recent) for name in ("old", "x", "y")} | stale
        snapshot = small.land(f"{start:%Y%m%dT%H%M%SZ}-0000", {"prod": source(list(users.values()))})
        small.build(snapshot, as_of=as_of, overrides={STALE_ACCOUNT: {"enabled": enabled}})
        return str(snapshot.snapshot_id)

    return build


def test_the_trend_and_first_seen_outlive_pruned_snapshots(small: Any, monthly: Callable[..., str]) -> None:
    first = monthly(1, "x")
    mark_reported(small, first)
    second = monthly(2)
    monthly(3)
    monthly(4)

    pruned = retention.prune(small.connection, before=LATER, now=LATER)
    assert pruned == [second]  # the last report is what the next one is compared with
    fifth = monthly(5, "y")
    assert trend_of(small, fifth) == {
        "new": Counter(high=1), "resolved": Counter(high=1), "open": Counter(high=2), "reopened": Counter(),
        "evaluated_again": Counter(), "not_evaluated": Counter(),
    }  # fmt: skip
    mark_reported(small, fifth)
    assert first in retention.prune(small.connection, before=LATER, now=LATER)
    sixth = monthly(6)

    assert trend_of(small, first) == dict.fromkeys(KINDS) | {"open": Counter(high=2)}
    assert trend_of(small, sixth)["resolved"] == Counter(high=1)
    assert small.rows("select account_id, first_seen_snapshot_id, first_seen_at from reports.findings") == [
        ("old", first, datetime.fromisoformat("2026-01-01T00:01:00"))
    ]


def test_a_database_of_an_earlier_version_gains_what_its_findings_say(
    small: Any, monthly: Callable[..., str]
) -> None:
    first = monthly(1, "x")
    mark_reported(small, first)
    for schema in ("history", "baseline"):
        for column in (
            "first_seen_snapshot_id",
            "first_seen_at",
            "due_from_at",
            "object_type",
            "returned_snapshot_id",
        ):
            small.connection.execute(f"alter table {schema}.register drop column {column}")
    for table in ("trend", "trend_figures", "evaluations", "unknown_subjects"):
        small.connection.execute(f"drop table history.{table}")

    for file in ("migrations/0002_versions.sql", "tables.sql"):
        small.connection.execute((resources.sql() / file).read_text(encoding="utf-8"))
    second = monthly(2)

    assert trend_of(small, first) == dict.fromkeys(KINDS) | {"open": Counter(high=2)}
    assert figures_of(small, first) == {}  # not known
    assert trend_of(small, second)["resolved"] == Counter(high=1)
    assert small.rows("select first_seen_snapshot_id, first_seen_at from reports.findings") == [
        (first, datetime.fromisoformat("2026-01-01T00:01:00"))
    ]


@pytest.mark.parametrize("configured", [{"due_days": {"low": 91}}, {"default_owner": "ciso@example.com"}])
def test_due_days_and_the_default_owner_are_part_of_the_builds_identity(
    small: Any, source: Any, make_user: Callable[..., Any], configured: dict[str, Any]
) -> None:
    snapshot = small.land("20260101T000000Z-0000", {"prod": source([make_user("a")])})

    plain, other, again = (small.build(snapshot, configured=given).build_id for given in ({}, configured, configured))

    assert plain != other
    assert other == again


@pytest.mark.parametrize("as_of", ["2025-12-30", "2026-12-31"])
def test_a_finding_is_first_seen_when_the_extract_ended_whenever_it_is_evaluated(
    small: Any, source: Any, make_user: Callable[..., Any], as_of: str
) -> None:
    snapshot = small.land("20260101T000000Z-0000", {"prod": source([make_user("a", lastLogin="2025-01-01")])})

    small.build(snapshot, as_of=datetime.fromisoformat(as_of))

    [(first_seen, age, due, overdue)] = small.rows(
        "select first_seen_at, age_days, due_at, overdue from reports.findings"
    )
    assert first_seen == datetime.fromisoformat("2026-01-01T00:01:00")
    assert (due, age) == ((date(2027, 1, 7), 364) if as_of > "2026" else (date(2026, 1, 8), 0))
    assert not overdue  # a finding is never overdue in the report that first shows it


def test_the_trend_is_in_the_order_of_the_extracts_and_ends_with_this_one(
    small: Any, monthly: Callable[..., str]
) -> None:
    first = monthly(1, "x", as_of=datetime.fromisoformat("2026-12-15"))
    mark_reported(small, first)
    second = monthly(2, "x")
    mark_reported(small, second)
    third = monthly(3, as_of=datetime.fromisoformat("2026-01-15"))

    reports = small.rows(
        "select snapshot_id, cast(read_at as date), sum(open), sum(new), sum(reopened), sum(resolved)"
        " from reports.trend group by all order by 2"
    )
    assert [row[:3] for row in reports] == [
        (first, date(2026, 1, 1), 3), (second, date(2026, 2, 1), 2), (third, date(2026, 3, 1), 1),
    ]  # fmt: skip
    for before, (*_, still, new, reopened, resolved) in pairwise(reports):
        assert still == before[2] + new + reopened - resolved
    arranged = trend.arrange(*(to_frame(small.connection.sql(f"from {table}")) for table in TABLES[:2]))
    assert arranged.sentence == "Since 1 Feb 2026: new 0 · resolved 1 · open 1 (2 before)"
    assert arranged.notes == ()
    assert [report.as_of.month for report in arranged.reports] == [12, 2, 1]

    # Built again, an earlier one does not show what came after it.
    snapshot = snapshots.get(small.connection, second)
    small.build(snapshot)
    assert {row[0] for row in small.rows("select snapshot_id from reports.trend")} == {first, second}


def test_findings_that_a_report_could_not_evaluate_are_counted_beside_the_trend(
    small: Any, monthly: Callable[..., str]
) -> None:
    def arranged() -> trend.Trend:
        return trend.arrange(*(to_frame(small.connection.sql(f"from {table}")) for table in TABLES[:2]))

    mark_reported(small, monthly(1, "x"))
    mark_reported(small, monthly(2, "x", enabled=False))
    off = arranged()
    monthly(3, "x", "y")
    on = arranged()

    assert off.sentence == "Since 1 Jan 2026: new 0 · resolved 0 · open 0 (2 before)"
    assert off.notes == ("2 findings were open on 1 Jan 2026, and this report could not evaluate them.",)
    assert on.sentence == "Since 1 Feb 2026: new 1 · resolved 0 · open 3 (0 before)"
    assert on.notes == (
        "2 open findings are neither new nor reopened: the report of 1 Feb 2026 could not evaluate them.",
    )
    assert [(each.evaluated_again, each.not_evaluated) for each in on.reports] == [(None, None), (0, 2), (2, 0)]
