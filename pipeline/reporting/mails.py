"""Writes the words of a mail to a reviewer or owner of a campaign, as plain text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from pipeline import resources
from pipeline.reporting import text
from pipeline.reporting.templating import Filler
from pipeline.wording import counted

__all__ = ["MailFacts", "MailKind", "MailText", "MailWriter"]

#: Why a mail is sent.
MailKind = Literal["invitation", "reminder", "reassignment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """What a mail says.

    ``items`` and ``high_risk`` count what it is about: all items of an invitation, the open ones of a reminder, and
    the items that changed hands. For an owner who reviews nothing they count the whole campaign. ``days_overdue`` is
    0 before and on the due date. Without a ``link`` a workbook is attached. ``contact`` answers questions.
    ``systems`` names what the access is to. ``handed_over_by`` is the earlier reviewer of a reassignment, and
    ``reason`` why.
    """

    organization: str
    campaign: str
    due_on: date | None
    days_overdue: int
    items: int
    high_risk: int
    is_reviewer: bool
    is_owner: bool
    link: str | None
    link_ends_at: datetime | None
    contact: str | None
    systems: tuple[str, ...] = ()
    handed_over_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MailText:
    """A subject on one line, and the two forms of the text."""

    subject: str
    plain: str
    html: str


class MailWriter:
    """The templates of mails, which are read once."""

    def __init__(self) -> None:
        self._fill = Filler(resources.templates())

    def subject(self, kind: MailKind, facts: MailFacts) -> str:
        """Return the subject of a mail on one line.

        Raises:
            RenderError: a template is wrong.
        """
        return one_line(self._fill("mail/subject.txt", None, **_values(kind, facts)))

    def write(self, kind: MailKind, facts: MailFacts) -> MailText:
        """Return the words of one mail.

        Raises:
            RenderError: a template is wrong.
        """
        values = _values(kind, facts)
        message = self._fill("mail/message.txt", None, **values)
        values["paragraphs"] = [line.strip() for line in message.splitlines() if line.strip()]
        subject = self.subject(kind, facts)
        plain = self._fill("mail/mail.txt", None, **values)
        html = self._fill("mail/mail.html", None, **values, subject=subject)
        return MailText(subject, plain.strip() + "\n", html.strip() + "\n")


def _values(kind: MailKind, facts: MailFacts) -> dict[str, Any]:
    return {
        "kind": kind,
        "facts": facts,
        "organization": one_line(facts.organization),
        "campaign": one_line(facts.campaign),
        "contact": one_line(facts.contact or ""),
        "handed_over_by": one_line(facts.handed_over_by or ""),
        "reason": one_line(facts.reason or ""),
        "system": one_line(" and ".join(facts.systems) or "Sisense"),
        "amount": _amount(facts.items),
        "last_day": (facts.link_ends_at - timedelta(days=1)).date() if facts.link_ends_at else None,
    }


def _amount(items: int) -> str:
    """Return a number of items, roughly where it is large: it is how much work there is that matters."""
    return counted(items, "item") if items < 100 else f"about {round(items, -len(str(items)) + 2):,} items"


def one_line(value: str) -> str:
    """Return a text on one line, so that a name can neither add a line to a mail nor a header."""
    return " ".join(text.printable(value).split())
