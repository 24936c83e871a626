"""The rules of an answer: what each decision needs. Returned files and the page are checked by the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from pipeline.addresses import AddressError, read_address
from pipeline.reporting.choices import ANSWERS, DECISIONS, LONGEST
from pipeline.typed import LONGEST_TEXT, cleaned

__all__ = [
    "ANSWERS",
    "DECISIONS",
    "Answer",
    "AnswerProblem",
    "Ranks",
    "ReviewedItem",
    "lower_roles",
    "problems",
    "read_approver",
    "read_form",
]

#: The decision that each further answer belongs to.
_BELONGS_TO = {"target_role": "reduce", "defer_until": "defer", "approver": "exception", "expires_on": "exception"}
_DAYS = ("defer_until", "expires_on")


#: The rank of each role, by source and name in lower case; None if it is not known. A higher role may do more.
Ranks = Mapping[tuple[str, str], int | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision on one item with all that belongs to it; the fields are columns of ``review.decisions``."""

    decision: str
    reason: str | None = None
    target_role: str | None = None
    defer_until: date | None = None
    approver: str | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """A mistake in an answer: the field of :class:`Answer` that is wrong, and a description."""

    field: str
    text: str


class ReviewedItem(Protocol):
    """What the rules need to know of an item. ``email`` is the address of the account."""

    @property
    def source(self) -> str:
        """Return the name of the source."""

    @property
    def entitlement_type(self) -> str:
        """Return ``role`` or ``group``."""

    @property
    def name(self) -> str:
        """Return the name of the role or group."""

    @property
    def email(self) -> str | None:
        """Return the e-mail address of the account."""

    @property
    def is_high_risk(self) -> bool:
        """Return whether the risk is high or critical, so that a decision needs a reason."""

    @property
    def reviewer_email(self) -> str:
        """Return the address of the reviewer."""


def problems(answer: Answer, item: ReviewedItem, ranks: Ranks, opened_on: date) -> Iterator[AnswerProblem]:
    """Yield each mistake in an answer. ``opened_on`` is the day on which the campaign was opened."""
    decision = answer.decision
    if decision not in DECISIONS:
        problem = f"'{decision}' is not a decision" if decision else "the decision is missing"
        yield AnswerProblem("decision", f"{problem}: write {', '.join(DECISIONS)}")
        return
    if item.is_high_risk and not answer.reason:
        yield AnswerProblem("reason", f"a high-risk item needs a reason to {decision}")
    if len(answer.reason or "") > LONGEST_TEXT:
        text = f"a reason has at most {LONGEST_TEXT:,} characters, this one has {len(answer.reason or ''):,}"
        yield AnswerProblem("reason", text)
    if decision == "reduce":
        yield from _target_problems(answer, item, ranks)
    if decision == "exception":
        yield from _approver_problems(answer, item)
    for field, belongs_to in _BELONGS_TO.items():
        if decision != belongs_to and getattr(answer, field):
            text = f"this goes with {belongs_to}, but the decision is {decision}: change one of them"
            yield AnswerProblem(field, text)
    for field in _DAYS:
        if decision == _BELONGS_TO[field]:
            yield from _day_problems(answer, field, opened_on)


def read_form(form: Mapping[str, str]) -> tuple[Answer, tuple[AnswerProblem, ...]]:
    """Return the answer in a form whose fields are named like those of :class:`Answer`; dates as 2026-12-31.

    Empty fields are None. Fields that another decision needs are ignored: a form keeps them when the reviewer chooses
    another decision. The problems are dates that cannot be read.
    """
    texts = {field: cleaned(form.get(field, "")) for field in ANSWERS}
    decision = texts["decision"].lower()
    found: list[AnswerProblem] = []
    days: dict[str, date | None] = {}
    for field in _DAYS:
        days[field] = None
        if texts[field] and _BELONGS_TO[field] == decision:
            try:
                days[field] = date.fromisoformat(texts[field])
            except ValueError:
                found.append(AnswerProblem(field, f"'{texts[field]}' is not a date: write it as 2026-12-31"))
    answer = Answer(
        decision,
        texts["reason"] or None,
        (texts["target_role"] or None) if decision == "reduce" else None,
        days["defer_until"],
        read_approver(texts["approver"]) if decision == "exception" else None,
        days["expires_on"],
    )
    return answer, tuple(found)


def read_approver(text: str) -> str | None:
    """Return the approver, as an address if the text is one; None if it is empty."""
    try:
        return read_address(text)
    except AddressError:
        return cleaned(text) or None


def lower_roles(source: str, role: str, ranks: Ranks) -> frozenset[str]:
    """Return the names, in lower case, of the roles of a source that are known to rank below a role."""
    own = ranks.get((source, role.lower()))
    if own is None:
        return frozenset()
    return frozenset(name for (of, name), rank in ranks.items() if of == source and rank is not None and rank < own)


def _target_problems(answer: Answer, item: ReviewedItem, ranks: Ranks) -> Iterator[AnswerProblem]:
    """Yield why access cannot be reduced: ``reduce`` must never raise it, so an unknown rank is refused, too."""
    if item.entitlement_type != "role":
        kind = item.entitlement_type
        yield AnswerProblem("decision", f"only a role can be reduced; a {kind} can be kept or removed")
        return
    if not any(source == item.source for source, _ in ranks):
        yield AnswerProblem("decision", f"{item.source} has no roles to reduce {item.name} to: keep or remove it")
        return
    lower = lower_roles(item.source, item.name, ranks)
    target = answer.target_role or ""
    if ranks.get((item.source, item.name.lower())) is None:
        text = f"the rank of {item.name} is not known, so no role is known to be lower: choose another decision"
        yield AnswerProblem("decision", f"{text}, and rank the role in roles.csv before the next review")
    elif not lower:
        yield AnswerProblem("decision", f"no role is lower than {item.name}: choose another decision")
    elif not target:
        yield AnswerProblem("target_role", "reduce needs a target role")
    elif (item.source, target.lower()) not in ranks:
        yield AnswerProblem("target_role", f"'{target}' is not a role of {item.source}")
    elif ranks[item.source, target.lower()] is None:
        text = f"the rank of {target} is not known, so it may not be lower than {item.name}: choose another role"
        yield AnswerProblem("target_role", text)
    elif target.lower() not in lower:
        yield AnswerProblem("target_role", f"{target} is not lower than {item.name}: choose a lower role")


def _approver_problems(answer: Answer, item: ReviewedItem) -> Iterator[AnswerProblem]:
    approver = answer.approver or ""
    try:
        address = read_address(approver).lower()
        if address == str(item.email).lower():
            yield AnswerProblem("approver", "the holder of an account cannot approve its exception")
        elif address == item.reviewer_email.lower():
            yield AnswerProblem("approver", "the reviewer cannot approve their own exception: name another person")
    except AddressError as error:
        mistake = f"{error}: " if approver else ""
        yield AnswerProblem("approver", f"{mistake}an exception needs the e-mail address of its approver")


def _day_problems(answer: Answer, field: str, opened_on: date) -> Iterator[AnswerProblem]:
    day = getattr(answer, field)
    if day is None:
        yield AnswerProblem(field, f"{_BELONGS_TO[field]} needs a date, as 2026-12-31")
    elif day <= opened_on:
        yield AnswerProblem(field, f"{day} is not after the day on which the campaign was opened")
    elif day > (latest := opened_on + timedelta(days=LONGEST[field])):
        yield AnswerProblem(
            field, f"{day} is too late: at most {LONGEST[field]} days after the opening, so {latest} or earlier"
        )
