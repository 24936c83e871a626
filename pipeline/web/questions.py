"""What a decision needs beside its name, as fields of a form: the role, the day, the approver, the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline.reporting.choices import LONGEST
from pipeline.review.answers import AnswerProblem, lower_roles
from pipeline.review.store import ItemCard, TargetRole

__all__ = ["Field", "Question", "is_account_role", "question", "roles_below"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form; ``kind`` is ``select`` or a type of input. The first one gets the focus."""

    name: str
    label: str
    kind: str
    value: str = ""
    choices: tuple[str, ...] = ()
    problem: str = ""
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for one decision. ``earliest`` and ``latest`` limit its date; ``general`` is a problem."""

    decision: str
    title: str
    fields: tuple[Field, ...]
    earliest: str
    latest: str
    general: str


def question(
    item: ItemCard,
    form: Mapping[str, str],
    problems: Sequence[AnswerProblem],
    roles: Sequence[TargetRole],
    opened_on: date,
) -> Question:
    """Return the question for the decision in a form, with the values and problems that the form has already."""
    decision = form["decision"]
    texts = {problem.field: _sentence(problem.text) for problem in reversed(problems)}
    fields = [
        replace(field, value=form.get(field.name, ""), problem=_problem(field, form, texts.pop(field.name, "")))
        for field in _fields(item, decision, roles)
    ]
    first = next((field.name for field in fields if field.problem), fields[0].name)
    return Question(
        decision,
        _title(item, decision, deactivates=is_account_role(item, roles)),
        tuple(replace(field, is_first=field.name == first) for field in fields),
        (opened_on + timedelta(days=1)).isoformat(),
        (opened_on + timedelta(days=max(LONGEST.get(field.name, 0) for field in fields))).isoformat(),
        " ".join(texts.values()),
    )


def _title(item: ItemCard, decision: str, *, deactivates: bool) -> str:
    titles = {
        "reduce": f"To which role should {item.name} be reduced?",
        "defer": "Until which day do you want to decide?",
        "exception": "Who approved the exception, and until when does it hold?",
    }
    why = "High-risk access needs a reason." if item.is_high_risk else "You can add a reason."
    if decision == "remove" and deactivates:
        return f"Remove {item.name}: the account is deactivated. Why? {why}"
    return titles.get(decision, f"Why {decision} {item.name}? {why}")


def _fields(item: ItemCard, decision: str, roles: Iterable[TargetRole]) -> Iterable[Field]:
    if decision == "reduce":
        yield Field("target_role", "Reduce to", "select", choices=roles_below(item, roles))
    if decision == "defer":
        yield Field("defer_until", "Decide by", "date")
    if decision == "exception":
        yield Field("approver", "Approved by (e-mail address)", "email")
        yield Field("expires_on", "Last day of the exception", "date")
    yield Field("reason", "Reason" if item.is_high_risk else "Reason (optional)", "text")


def is_account_role(item: ItemCard, roles: Iterable[TargetRole]) -> bool:
    """Return whether an item is the role of its account. Applications that are read from files have no such roles."""
    return item.entitlement_type == "role" and any(role.source == item.source for role in roles)


def roles_below(item: ItemCard, roles: Iterable[TargetRole]) -> tuple[str, ...]:
    """Return the roles to which an item can be reduced, the least powerful first."""
    if item.entitlement_type != "role":
        return ()
    known = [role for role in roles if role.source == item.source]
    lower = lower_roles(item.source, item.name, {(role.source, role.name.lower()): role.rank for role in known})
    return tuple(role.name for role in known if role.name.lower() in lower)


def _problem(field: Field, form: Mapping[str, str], text: str) -> str:
    return "Choose one of the roles." if text and field.kind == "select" and not form.get(field.name) else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
