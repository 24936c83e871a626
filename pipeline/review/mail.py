"""Composes a mail: headers, plain text, an HTML part, and a workbook where there is no page to link to."""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.addresses import AddressError
from pipeline.reporting.mails import MailText, one_line
from pipeline.review.delivery import Recipient
from pipeline.settings import Settings

__all__ = ["compose", "contact_of"]

_WORKBOOK = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def compose(
    words: MailText, recipient: Recipient, settings: Settings, *, now: datetime, workbook: Path | None = None
) -> EmailMessage:
    """Return a mail to one recipient.

    Raises:
        OSError: the workbook cannot be read.
    """
    message = EmailMessage(policy=SMTP)
    sender = _sender(settings)
    if sender is not None:
        message["From"] = sender
    message["To"] = _mailbox("", recipient.address)
    contact = contact_of(settings)
    if sender is not None and contact is not None and contact != sender.addr_spec:
        message["Reply-To"] = _mailbox("", Recipient.read(contact).address)
    message["Subject"] = words.subject
    message["Date"] = now.replace(microsecond=0)
    message["Message-ID"] = make_msgid(domain=_message_domain(settings))  # not the name of this machine
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words.plain)
    message.add_alternative(words.html, subtype="html")
    if workbook is not None:
        message.add_attachment(
            workbook.read_bytes(), maintype="application", subtype=_WORKBOOK, filename=workbook.name
        )
    return message


def contact_of(settings: Settings) -> str | None:
    """Return the address that answers questions: the first owner that can receive mail, else the sender."""
    for owner in settings.web.owners:
        try:
            Recipient.read(owner)
        except AddressError:
            continue
        return owner
    sender = _sender(settings)
    return sender.addr_spec if sender is not None else None


def _sender(settings: Settings) -> Address | None:
    written = settings.mail.sender
    if written is None:
        return None
    named = re.fullmatch(r"(.*)<[^<>]*>\s*", written)
    name = one_line(named[1].strip(" \"'")) if named else ""
    return _mailbox(name, Recipient.read(written).address)


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)


def _message_domain(settings: Settings) -> str:
    sender = _sender(settings)
    host = urlsplit(settings.web.base_url or "").hostname
    return sender.domain if sender is not None else host or "access-review.invalid"
