"""Who gets which mail: invitations, reminders and reassignments. Needs the store of the campaign, not the database.

Every mail is logged before it is handed over, and its outcome after. So no recipient gets two mails for one reason,
even if the program is interrupted: a mail that may have gone out is reported as uncertain and not repeated. A mail
that failed is sent again by the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pipeline.addresses import AddressError
from pipeline.errors import AccessReviewError, GateError
from pipeline.reporting.mails import MailFacts, MailKind, MailWriter
from pipeline.reporting.text import moment
from pipeline.review.delivery import MailFolder, MailServer, Outbox, Outcome, Recipient
from pipeline.review.filenames import campaign_folder, stem, workbook_path
from pipeline.review.mail import compose, contact_of
from pipeline.review.store import LoggedMail, ReviewStore
from pipeline.settings import Settings, SourceSettings, mail_password
from pipeline.sources.network import trusted_authorities

__all__ = ["Handover", "MailResult", "MailRun", "hand_over", "invite", "remind"]


@dataclass(frozen=True, slots=True)
class MailResult:
    """What became of one mail.

    ``written`` names the file in ``detail``. ``failed`` may be repeated. ``uncertain`` may have been sent, and is not
    repeated. ``sent_before`` was sent or written by an earlier call. ``not_tried``: an error ended the call first.
    """

    recipient: str
    kind: MailKind
    state: Literal["sent", "written", "failed", "uncertain", "sent_before", "not_tried"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MailRun:
    """What became of the mails of one call. ``error`` ended it early, such as a server that refuses the login."""

    campaign: str
    results: tuple[MailResult, ...]
    notes: tuple[str, ...] = ()
    error: AccessReviewError | None = None

    @property
    def failures(self) -> tuple[MailResult, ...]:
        """Return the mails that were not sent, or perhaps not."""
        return tuple(each for each in self.results if each.state in {"failed", "uncertain", "not_tried"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Items of one reviewer that another one takes over: their ids, or None for all that are open. ``by`` acts."""

    items: Sequence[str] | None
    from_reviewer: str
    to_reviewer: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class _Letter:
    """A mail to send. ``reason_key`` tells two mails of one kind to one recipient apart."""

    kind: MailKind
    recipient: str
    reason_key: str
    facts: MailFacts

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        key = "".join(c for c in self.reason_key if c.isalnum() or c == "-")
        return "-".join(filter(None, (self.kind, key, stem(self.recipient))))


def invite(store: ReviewStore, settings: Settings, environment: Mapping[str, str], *, now: datetime) -> MailRun:
    """Mail each reviewer their link, or their workbook if there is no page, and each owner a link. Once for each.

    Raises:
        GateError: the campaign is signed off.
        MissingSecretError: the mail server needs a password, and the environment has none.
    """
    mailing = _Mailing(store, settings, environment, now)
    reviewers = {row.label: row for row in store.reviewers()}
    owners = [owner for owner in settings.web.owners if owner not in reviewers]
    letters = [mailing.letter("invitation", row.label, "", row.items, row.high_risk) for row in reviewers.values()]
    notes: tuple[str, ...] = ()
    if settings.web.base_url is not None:
        items, high_risk = (sum(getattr(row, name) for row in reviewers.values()) for name in ("items", "high_risk"))
        letters += [mailing.letter("invitation", owner, "", items, high_risk, is_reviewer=False) for owner in owners]
    elif owners:
        notes = ("owners get no mail: without base_url in [web] there is no page that they could open",)
    return replace(mailing.send(letters), notes=notes)


def remind(
    store: ReviewStore,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    now: datetime,
    only_overdue: bool = False,
    reviewers: Collection[str] | None = None,
) -> MailRun:
    """Mail the reviewers with open items, each at most once a day; with ``only_overdue`` only after the due date.

    ``reviewers`` restricts it to some of them. A reminder has a new link, which replaces an earlier one.

    Raises:
        GateError: the campaign is signed off.
        MissingSecretError: the mail server needs a password, and the environment has none.
    """
    mailing = _Mailing(store, settings, environment, now)
    if only_overdue and not mailing.days_overdue:
        return MailRun(store.campaign.name, (), ("the campaign is not overdue",))
    letters = [
        mailing.letter("reminder", row.label, now.date().isoformat(), row.pending, row.high_risk_pending)
        for row in store.reviewers()
        if row.pending and (reviewers is None or row.label in reviewers)
    ]
    return mailing.send(letters)


def hand_over(
    store: ReviewStore,
    settings: Settings,
    environment: Mapping[str, str],
    handover: Handover,
    *,
    now: datetime,
    before_mail: Callable[[], object] = lambda: None,
) -> tuple[int, MailRun]:
    """Give items to another reviewer and mail them; return how many. The original reviewer stays on record.

    ``before_mail`` runs in between. The items are handed over even if the mail fails; ``invite`` and ``remind`` reach
    the new reviewer then.

    Raises:
        StoreRefusal: the items cannot be handed over; nothing changes.
        MissingSecretError: the mail server needs a password, and the environment has none; nothing changes.
    """
    mailing = _Mailing(store, settings, environment, now)
    mailing.outbox()  # what is missing from the configuration is said before anything changes
    taker = handover.to_reviewer.strip().lower()
    high_risk_before = store.progress(taker).high_risk
    moved = store.reassign(
        handover.items, handover.from_reviewer, handover.to_reviewer, handover.reason, handover.by, now=now
    )
    before_mail()
    high_risk = min(moved, max(0, store.progress(taker).high_risk - high_risk_before))
    letter = mailing.letter("reassignment", taker, f"{now:%Y%m%dT%H%M%S%f}", moved, high_risk)
    facts = replace(letter.facts, handed_over_by=handover.from_reviewer, reason=handover.reason)
    return moved, mailing.send([replace(letter, facts=facts)])


class _Mailing:
    """Sends the mails of one call."""

    def __init__(self, store: ReviewStore, settings: Settings, environment: Mapping[str, str], now: datetime) -> None:
        self._store = store
        self._settings = settings
        self._environment = environment
        self._now = now
        self._writer = MailWriter()
        self._campaign = store.campaign
        if self._campaign.closed_at is not None:
            raise GateError(
                f"the campaign '{self._campaign.name}' is signed off", where="campaign", hint="open another one"
            )
        due_on = self._campaign.due_on
        self.days_overdue = max(0, (now.date() - due_on).days) if due_on is not None else 0

    def letter(
        self,
        kind: MailKind,
        recipient: str,
        reason_key: str,
        items: int,
        high_risk: int,
        *,
        is_reviewer: bool = True,
    ) -> _Letter:
        """Return a mail to send; its link is made when it is sent."""
        contact = contact_of(self._settings)
        facts = MailFacts(
            organization=self._campaign.organization,
            campaign=self._campaign.name,
            due_on=self._campaign.due_on,
            days_overdue=self.days_overdue,
            items=items,
            high_risk=high_risk,
            is_reviewer=is_reviewer,
            is_owner=recipient in self._settings.web.owners,
            link=None,
            link_ends_at=None,
            contact=contact if contact != recipient else None,
            systems=_systems(self._settings.sources),
        )
        return _Letter(kind, recipient, reason_key, facts)

    def outbox(self) -> Outbox:
        """Return where mails go: the server of the configuration, else files in the folder of the campaign.

        Raises:
            ConfigurationError: the password or the CA bundle is missing, or cannot be used.
        """
        mail = self._settings.mail
        if mail.smtp_url is None:
            return MailFolder(campaign_folder(self._settings.reports.directory, self._campaign.name) / "mails")
        password = mail_password(self._environment) if mail.username is not None else None
        tls, _ = trusted_authorities(mail.ca_bundle, "mail", self._environment)
        return MailServer(mail, password, tls)

    def send(self, letters: Sequence[_Letter]) -> MailRun:
        """Send the mails that were not sent before, over one connection."""
        outbox = self.outbox()
        log = self._store.mails()
        earlier = {letter: result for letter in letters if (result := _earlier(log, letter, outbox)) is not None}
        to_send = [letter for letter in letters if letter not in earlier]
        sent: dict[_Letter, MailResult] = {}
        error: AccessReviewError | None = None
        if to_send:
            try:
                with outbox:
                    for letter in to_send:
                        sent[letter] = self._send_one(outbox, letter, sent)
            except AccessReviewError as caught:
                error = caught
        results = earlier | sent
        untried = "the call ended with an error first"
        return MailRun(
            self._campaign.name,
            tuple(
                results.get(each) or MailResult(each.recipient, each.kind, "not_tried", untried) for each in letters
            ),
            error=error,
        )

    def _send_one(self, outbox: Outbox, letter: _Letter, sent: dict[_Letter, MailResult]) -> MailResult:
        """Log, send, and log the outcome. ``sent`` gets the result of a mail whose sending ended the call."""
        subject = self._writer.subject(letter.kind, letter.facts)
        mail_id = self._begin(outbox, letter, subject)
        if mail_id is None:  # another process was faster
            return MailResult(letter.recipient, letter.kind, "sent_before", "by another call at the same time")
        try:
            outcome = self._hand_over(outbox, letter)
        except AccessReviewError as error:
            self._store.finish_mail(mail_id, "failed", error.message, now=self._now)
            sent[letter] = MailResult(letter.recipient, letter.kind, "failed", error.message)
            raise
        self._store.finish_mail(mail_id, outcome.state, outcome.detail or None, now=self._now)
        return MailResult(letter.recipient, letter.kind, outcome.state, outcome.detail)

    def _begin(self, outbox: Outbox, letter: _Letter, subject: str) -> str | None:
        mail_id = self._store.begin_mail(letter.kind, letter.reason_key, letter.recipient, subject, now=self._now)
        if mail_id is None and outbox.is_repeatable:  # a file that an interrupted call may not have written
            return next((mail.mail_id for mail in self._store.mails() if _is_log_of(mail, letter)), None)
        return mail_id

    def _hand_over(self, outbox: Outbox, letter: _Letter) -> Outcome:
        try:
            recipient = Recipient.read(letter.recipient)
        except AddressError as error:
            return Outcome("failed", str(error))
        web = self._settings.web
        facts, workbook = letter.facts, None
        if web.base_url is not None:
            token = self._store.issue_link(
                letter.recipient, is_owner=facts.is_owner, valid_days=self._link_days(), now=self._now
            )
            ends_at = (self._now + timedelta(days=self._link_days())).replace(second=0, microsecond=0)
            facts = replace(facts, link=f"{web.base_url}/link/{token}", link_ends_at=ends_at)
        else:
            workbook = workbook_path(self._settings.reports.directory, self._campaign.name, letter.recipient)
        try:
            message = compose(
                self._writer.write(letter.kind, facts), recipient, self._settings, now=self._now, workbook=workbook
            )
        except OSError:
            return Outcome("failed", "there is no workbook to attach: run 'access-review review packets'")
        return outbox.send(message, recipient, letter.name)

    def _link_days(self) -> int:
        """Return for how many days a link is valid: as configured, but at least through the due date."""
        due_on = self._campaign.due_on
        until_due = (due_on - self._now.date()).days + 1 if due_on is not None else 0
        return max(self._settings.web.link_days, until_due)


def _earlier(log: Sequence[LoggedMail], letter: _Letter, outbox: Outbox) -> MailResult | None:
    """Return the result of a mail that an earlier call has sent, or may have sent; None if it is to be sent."""
    mail = next((mail for mail in log if _is_log_of(mail, letter)), None)
    if mail is None:
        return None
    when = moment(mail.sent_at.replace(second=0, microsecond=0))
    if mail.delivery in {"sent", "written"}:
        file = f": {mail.detail}" if mail.delivery == "written" else ""
        return MailResult(letter.recipient, letter.kind, "sent_before", f"{mail.delivery} on {when}{file}")
    if mail.delivery == "sending" and outbox.is_repeatable:
        return None
    detail = f"a call on {when} was interrupted while it was sending it"
    later = [each for each in log if each.recipient == letter.recipient and each.delivery in {"sent", "written"}]
    if any(each.sent_at > mail.sent_at for each in later):
        return MailResult(letter.recipient, letter.kind, "sent_before", f"{detail}; a later mail was sent")
    return MailResult(letter.recipient, letter.kind, "uncertain", f"{detail}; 'review remind' sends a reminder")


def _is_log_of(mail: LoggedMail, letter: _Letter) -> bool:
    """Return whether a line of the log is about this mail. A mail that failed may be sent again."""
    key = (letter.kind, letter.reason_key, letter.recipient)
    return (mail.kind, mail.reason_key, mail.recipient) == key and mail.delivery != "failed"


def _systems(sources: Sequence[SourceSettings]) -> tuple[str, ...]:
    """Return what the access under review is to: each Sisense in brackets, then the applications by file."""
    of_kind = {kind: ", ".join(each.name for each in sources if each.kind == kind) for kind in ("sisense", "files")}
    named = (f"Sisense ({of_kind['sisense']})" if of_kind["sisense"] else "", of_kind["files"])
    return tuple(filter(None, named))
