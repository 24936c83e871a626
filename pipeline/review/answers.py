"""The rules of an answer: what each decision needs. Returned files and the page are checked by the same ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from pipeline.addresses import AddressError, read_address
from pipeline.reporting.choices import ANSWERS, DECISIONS

__all__ = [
    "ANSWERS",
    "DECISIONS",
    "Answer",
    "AnswerProblem",
    "ReviewedItem",
    "needs_reason",
    "problems",
    "read_approver",
    "read_form",
]

#: The decision that each further answer belongs to.
_BELONGS_TO = {"target_role": "reduce", "defer_until": "defer", "approver": "exception", "expires_on": "exception"}
_DAYS = ("defer_until", "expires_on")
#: Decisions that need a reason for an item of high risk.
_EXPLAINED = frozenset({"keep", "remove", "reduce"})


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
    def email(self) -> str | None:
        """Return the e-mail address of the account."""

    @property
    def is_high_risk(self) -> bool:
        """Return whether the risk is high or critical."""


def problems(
    answer: Answer, item: ReviewedItem, roles: Collection[tuple[str, str]], opened_on: date
) -> Iterator[AnswerProblem]:
    """Yield each mistake in an answer.

    ``roles`` holds (source, role name in lower case) of every role that access can be reduced to. ``opened_on`` is
    the day on which the campaign was opened.
    """
    decision = answer.decision
    if decision not in DECISIONS:
        problem = f"'{decision}' is not a decision" if decision else "the decision is missing"
        yield AnswerProblem("decision", f"{problem}: write {', '.join(DECISIONS)}")
        return
    if needs_reason(item, decision) and not answer.reason:
        yield AnswerProblem("reason", f"a high-risk item needs a reason to {decision}")
    if decision == "reduce":
        yield from _target_problems(answer, item, roles)
    if decision == "exception":
        yield from _approver_problems(answer, item)
    for field, belongs_to in _BELONGS_TO.items():
        if decision != belongs_to and getattr(answer, field):
            text = f"this goes with {belongs_to}, but the decision is {decision}: change one of them"
            yield AnswerProblem(field, text)
    for field in _DAYS:
        if decision == _BELONGS_TO[field]:
            yield from _day_problems(answer, field, opened_on)


def needs_reason(item: ReviewedItem, decision: str) -> bool:
    """Return whether a decision on an item needs a reason."""
    return item.is_high_risk and decision in _EXPLAINED


def read_form(form: Mapping[str, str]) -> tuple[Answer, tuple[AnswerProblem, ...]]:
    """Return the answer in a form whose fields are named like those of :class:`Answer`; dates as 2026-12-31.

    Empty fields are None. Fields that another decision needs are ignored: a form keeps them when the reviewer chooses
    another decision. The problems are dates that cannot be read.
    """
    texts = {field: form.get(field, "").replace("\r\n", "\n").strip() for field in ANSWERS}
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
        return text or None


def _target_problems(
    answer: Answer, item: ReviewedItem, roles: Collection[tuple[str, str]]
) -> Iterator[AnswerProblem]:
    target = answer.target_role or ""
    if item.entitlement_type != "role":
        yield AnswerProblem("decision", "only a role can be reduced; a group can be kept or removed")
    elif (item.source, target.lower()) not in roles:
        yield AnswerProblem("target_role", f"'{target}' is not a role of {item.source}")


def _approver_problems(answer: Answer, item: ReviewedItem) -> Iterator[AnswerProblem]:
    approver = answer.approver or ""
    try:
        if read_address(approver).lower() == str(item.email).lower():
            yield AnswerProblem("approver", "the holder of an account cannot approve its exception")
    except AddressError as error:
        mistake = f"{error}: " if approver else ""
        yield AnswerProblem("approver", f"{mistake}an exception needs the e-mail address of its approver")


def _day_problems(answer: Answer, field: str, opened_on: date) -> Iterator[AnswerProblem]:
    day = getattr(answer, field)
    if day is None:
        yield AnswerProblem(field, f"{_BELONGS_TO[field]} needs a date, as 2026-12-31")
    elif day <= opened_on:
        yield AnswerProblem(field, f"{day} is not after the day on which the campaign was opened")
