"""What only the report to read and sign shows: urgent actions, findings by person, remediation by person."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import polars

from pipeline.reporting.charts import SEVERITIES
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.decisions import DecisionSum
from pipeline.reporting.text import count, number

__all__ = [
    "ACTIONS_SHOWN",
    "BriefView",
    "PersonChanges",
    "PersonFindings",
    "RoleHolders",
    "SeveritySection",
    "arrange",
]

Row = dict[str, Any]

#: Most actions on the first pages.
ACTIONS_SHOWN = 10
#: Each severity has room for at least this part of all findings that are shown: a quarter.
_SHARE = 4
#: Most findings of one rule about one person that are told apart.
_DETAILS_SHOWN = 3
#: Types of subjects that have a role, a department and an address.
_PEOPLE = frozenset({"account", "person"})
#: Verdict of a change -> its words, those that need attention first.
VERDICTS = {
    "reappeared": "done, then reversed",
    "still_present": "not done",
    "not_verifiable": "not verifiable",
    "removed_verified": "done and verified",
}


@dataclass(frozen=True, slots=True)
class PersonFindings:
    """The findings of one severity about one person, account, group, role, dashboard or data model.

    ``facts`` say what it is, and ``addresses`` are those of its accounts. ``rules`` are the titles of the rules, each
    with what was found, once and at most a few, and how many more there are. ``due``
    are the first and the last day by which ``owners`` are to fix them; ``overdue`` counts those that are late.
    """

    subject: Row
    facts: tuple[str, ...]
    addresses: tuple[str, ...]
    rules: tuple[tuple[str, tuple[str, ...], int], ...]
    owners: tuple[str, ...]
    due: tuple[date, ...]
    findings: int
    overdue: int

    @property
    def status(self) -> str:
        """Return the status of all of them."""
        return str(self.subject["status"])


@dataclass(frozen=True, slots=True)
class SeveritySection:
    """The findings of one severity: what is to be done for each rule, and the findings to show by person.

    ``total`` counts all findings, ``open_findings`` the open ones, ``shown`` those that the section has.
    """

    severity: str
    days_to_fix: int | None
    rules: tuple[Row, ...]
    people: tuple[PersonFindings, ...]
    total: int
    open_findings: int
    shown: int


@dataclass(frozen=True, slots=True)
class RoleHolders:
    """The privileged accounts that hold one role; ``role`` is the row of the first of them."""

    role: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class PersonChanges:
    """The changes of one account, those that need attention first."""

    subject: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefView:
    """All values of the brief that no other document has.

    ``actions_left`` counts the actions that are not shown, ``severities`` have the open findings of each severity in
    three numbers. ``sent`` says what became of all changes, as a sum.
    """

    actions: tuple[Row, ...]
    actions_left: int
    severities: tuple[Row, ...]
    overdue: int
    sections: tuple[SeveritySection, ...]
    privileged: tuple[RoleHolders, ...]
    people: tuple[tuple[Row, ...], ...]
    changes: tuple[PersonChanges, ...]
    changes_total: int
    sent: str
    carried: tuple[str, ...]


def arrange(dataset: Dataset, *, rows_shown: int, privileged_shown: int, sums: Sequence[DecisionSum]) -> BriefView:
    """Arrange one build; at most ``rows_shown`` changes of accounts are shown.

    As many findings are shown, the most severe first. A severity with no room left still has a quarter as many.
    """
    severities = _rows(dataset.due_counts)
    changes = _rows(dataset.remediation)
    actions = _rows(dataset.actions)
    return BriefView(
        actions=actions[:ACTIONS_SHOWN],
        actions_left=len(actions[ACTIONS_SHOWN:]),
        severities=severities,
        overdue=sum(row["overdue"] for row in severities),
        sections=tuple(_sections(dataset, {row["severity"]: row["days_to_fix"] for row in severities}, rows_shown)),
        privileged=tuple(
            RoleHolders(rows[0], rows) for rows in _by_role(_rows(dataset.privileged_accounts)[:privileged_shown])
        ),
        people=tuple(_runs(_rows(dataset.person_access)[:rows_shown], lambda row: row["person_id"])),
        changes=tuple(_by_account(changes[:rows_shown])),
        changes_total=len(changes),
        sent=_sent(changes),
        carried=tuple(_carried(changes, sums)),
    )


def _rows(frame: polars.DataFrame) -> tuple[Row, ...]:
    return tuple(frame.iter_rows(named=True))


def _runs(rows: Sequence[Row], key: Callable[[Row], Hashable]) -> Iterator[tuple[Row, ...]]:
    """Yield rows that follow each other and have equal keys."""
    for _, run in groupby(rows, key):
        yield tuple(run)


def _sections(dataset: Dataset, days_to_fix: dict[str, int | None], rows_shown: int) -> Iterator[SeveritySection]:
    rules = {
        str(key[0]): _rows(part) for key, part in dataset.severity_rules.group_by("severity", maintain_order=True)
    }
    rows = {
        str(key[0]): _rows(part.head(rows_shown))
        for key, part in dataset.person_findings.group_by("severity", maintain_order=True)
    }
    has_sources = len(dataset.sources) > 1
    room, least = rows_shown, max(rows_shown // _SHARE, 1)
    for severity in SEVERITIES:
        if shown := rows.get(severity, ())[:room]:
            room = max(room - len(shown), least)
            yield SeveritySection(
                severity=severity,
                days_to_fix=days_to_fix[severity],
                rules=rules[severity],
                people=tuple(
                    _person(found, has_sources) for found in _runs(shown, lambda row: (row["status"], row["subject"]))
                ),
                total=shown[0]["total"],
                open_findings=shown[0]["open_findings"],
                shown=len(shown),
            )


def _person(found: Sequence[Row], has_sources: bool) -> PersonFindings:
    facts, addresses = _described(found, has_sources)
    details: dict[str, dict[str, list[str]]] = {}
    for row in found:
        said = row["detail"] or row["observed_value"] or ""
        details.setdefault(row["title"], {}).setdefault(said, []).append(row["email"] or "")
    due = sorted({row["due_at"] for row in found if row["due_at"]})
    return PersonFindings(
        subject=found[0],
        facts=facts,
        addresses=addresses,
        rules=tuple(
            (
                title,
                tuple(_attributed(said, names, addresses) for said, names in texts.items())[:_DETAILS_SHOWN],
                max(len(texts) - _DETAILS_SHOWN, 0),
            )
            for title, texts in details.items()
        ),
        owners=tuple(dict.fromkeys(row["owner"] for row in found if row["owner"])),
        due=tuple(dict.fromkeys((due[0], due[-1]))) if due else (),
        findings=len(found),
        overdue=sum(bool(row["overdue"]) for row in found),
    )


def _attributed(said: str, names: Sequence[str], addresses: Sequence[str]) -> str:
    """Name the accounts that a text is about, unless there is only one or it is about all of them."""
    named = dict.fromkeys(filter(None, names))
    return f"For {', '.join(named)}: {said}" if 0 < len(named) < len(addresses) else said


def _described(found: Sequence[Row], has_sources: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the facts about the subject, and the addresses of its accounts.

    Role, department and address are those of an account, so an object has none of them.
    """
    first = found[0]
    sources = tuple(dict.fromkeys(row["source"] for row in found if row["source"])) if has_sources else ()
    if first["subject_type"] not in _PEOPLE:
        return (first["kind"], *sources), ()
    roles = dict.fromkeys(row["role"] for row in found if row["role"])
    departments = dict.fromkeys(row["department"] for row in found if row["department"])
    addresses = tuple(dict.fromkeys(row["email"] for row in found if row["email"]))
    shown = () if [each.lower() for each in addresses] == [first["label"].lower()] else addresses
    return (*roles, *departments, *sources), shown


def _by_role(accounts: Sequence[Row]) -> Iterator[tuple[Row, ...]]:
    """Yield the accounts of each role, the highest role first."""
    roles: dict[tuple[object, ...], list[Row]] = {}
    for row in accounts:
        roles.setdefault((row["role_rank"], row["role_display_name"], row["rank_basis"]), []).append(row)
    yield from map(tuple, roles.values())


def _by_account(changes: Sequence[Row]) -> Iterator[PersonChanges]:
    """Yield the changes of each account, where the most urgent of them stands."""
    accounts: dict[tuple[str, str], list[Row]] = {}
    for row in changes:
        accounts.setdefault((row["source"], row["account_id"]), []).append(row)
    for rows in accounts.values():
        yield PersonChanges(rows[0], tuple(rows))


def _sent(changes: Sequence[Row]) -> str:
    """Return what became of the changes: ``12 changes sent = 10 done and verified + 2 not done``."""
    verdicts = [row["verdict"] for row in changes]
    terms = [
        f"{number(verdicts.count(verdict))} {words}"
        for verdict, words in reversed(VERDICTS.items())
        if verdict in verdicts or verdict == "removed_verified"
    ]
    return f"{count(len(changes), 'change')} sent = {' + '.join(terms)}"


def _carried(changes: Sequence[Row], sums: Sequence[DecisionSum]) -> Iterator[str]:
    """Yield how many changes carry out the decisions of each campaign: one change may carry out several."""
    for decided in sums:
        own = sum(row["campaign"] == decided.campaign for row in changes)
        if own and decided.sent is not None:
            yield (
                f"{count(own, 'change')} {'carries' if own == 1 else 'carry'} out {number(decided.sent)} of the"
                f" {count(decided.decided, 'decision')} of {decided.campaign}: one change may carry out several"
                " decisions about an account"
            )
    if others := sum(row["campaign"] is None for row in changes):
        yield f"{count(others, 'change')} {'was' if others == 1 else 'were'} not decided in a review"
