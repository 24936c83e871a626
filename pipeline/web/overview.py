"""The pages of a campaign's owner: progress, the decisions as they come, and handing items over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipeline.addresses import AddressError, read_address
from pipeline.errors import AccessReviewError
from pipeline.reporting import text
from pipeline.review.store import CampaignFacts, CardFilter, CardProgress, LoggedDecision, StoreRefusal
from pipeline.web.intro import total as summed
from pipeline.web.refusal import RequestRefusedError
from pipeline.web.refusal_log import NOT_OWNER
from pipeline.web.site import Site, site_of, visitor_of
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.review.notices import MailRun

__all__ = ["routes"]

#: Decisions on one page.
_DECISIONS = 100
#: People whose items can be chosen on the page that hands them over.
_PEOPLE = 50


def routes() -> list[Route]:
    """Return the routes of owners."""
    return [
        Route("/campaign", progress),
        Route("/campaign/remind", remind, methods=["POST"]),
        Route("/campaign/decisions", decisions),
        Route("/campaign/reassign", choose_items),
        Route("/campaign/reassign", reassign, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Overview:
    """The progress of a campaign: in words, in all, by reviewer and by risk."""

    headline: str
    lead: str
    total: CardProgress
    reviewers: tuple[CardProgress, ...]
    risks: tuple[CardProgress, ...]
    is_overdue: bool

    @property
    def waiting(self) -> int:
        """Return how many reviewers have open items."""
        return sum(row.pending > 0 for row in self.reviewers)


def progress(request: Request) -> Response:
    """Show how far the campaign is, by reviewer and by risk."""
    return _progress(request, _owned(request))


def remind(request: Request) -> Response:
    """Mail the reviewers with open items, and say what became of the mails."""
    from pipeline.review import notices

    site = _owned(request)
    try:
        run = notices.remind(site.store, site.settings, site.environment, now=site.clock())
    except AccessReviewError as error:
        return _progress(request, site, f"No mail was sent: {error.message}.")
    return _progress(request, site, _mailed(run))


def decisions(request: Request) -> Response:
    """Show the newest decisions, or those before a number."""
    site = _owned(request)
    before = _number(request.query_params.get("before", ""))
    found = site.store.latest_decisions(before=before, limit=_DECISIONS)
    older = f"/campaign/decisions?before={found[-1].number}" if len(found) == _DECISIONS else None
    return site.page(
        request,
        "decisions.html",
        decisions=[(row, _when(row), _how(row)) for row in found],
        is_newest=before is None,
        newest=None if before is None else "/campaign/decisions",
        older=older,
    )


def choose_items(request: Request) -> Response:
    """Show the open items of one reviewer, to hand some or all of them over."""
    return _choice(request, request.query_params, {})


def reassign(request: Request) -> Response:
    """Hand items of one reviewer to another."""
    site, form = _owned(request), request.state.form
    visitor = visitor_of(request)
    items = (
        None
        if form.get("which") != "chosen"
        else tuple(name.removeprefix("item-") for name in form if name.startswith("item-"))
    )
    found, to = _problems(form, items)
    if not found and visitor is not None:
        try:
            moved, mail = _hand_over(site, items, form["from"], to, form["reason"].strip(), visitor.email)
        except StoreRefusal as error:
            found = {"general": f"Nothing was handed over: {error}."}
        except AccessReviewError as error:  # the configuration of mail, before anything was changed
            found = {"general": f"Nothing was handed over: {error.message}."}
        else:
            values = {"moved": moved, "to": to, "mail": mail}
            return RedirectResponse(f"/campaign/reassign?{urlencode(values)}", 303)
    return _choice(request, form, found)


def _hand_over(
    site: Site, items: Sequence[str] | None, giver: str, taker: str, reason: str, by: str
) -> tuple[int, str]:
    """Hand items over; return how many, and the state of the mail to the new reviewer: empty without an address."""
    from pipeline.review.notices import Handover, hand_over

    if site.settings.web.base_url is None:  # the page is on this machine only: a link would be of no use
        return site.store.reassign(items, giver, taker, reason, by, now=site.clock()), ""
    handover = Handover(items=items, from_reviewer=giver, to_reviewer=taker, reason=reason, by=by)
    moved, run = hand_over(site.store, site.settings, site.environment, handover, now=site.clock())
    return moved, run.results[0].state


def _progress(request: Request, site: Site, said: str = "") -> Response:
    store = site.store
    campaign = store.campaign
    found = _overview(campaign, store.reviewers(), store.risks(), site.clock().date())
    can_remind = site.settings.web.base_url is not None and campaign.closed_at is None and found.waiting > 0
    return site.page(request, "campaign.html", overview=found, can_remind=can_remind, said=said)


def _mailed(run: MailRun) -> str:
    """Return what became of the reminders, in words."""
    states: Counter[str] = Counter(result.state for result in run.results)
    words = {
        "sent": "sent",
        "written": "written to files, to be sent by hand",
        "sent_before": "sent earlier today",
    }
    parts = [f"{counted(states[state], 'reminder')} {said}" for state, said in words.items() if states[state]]
    parts += [f"not sent to {each.recipient}: {each.detail}" for each in run.failures]
    if run.error is not None:
        parts.append(run.error.message)
    said = "; ".join(parts) or "no reviewer has open items"
    return f"{said[0].upper()}{said[1:]}."


def _problems(form: Mapping[str, str], items: Sequence[str] | None) -> tuple[dict[str, str], str]:
    """Return what is wrong with a form that hands items over, by field, and the address of the new reviewer."""
    found = {}
    to = ""
    try:
        to = read_address(form.get("to", "")).lower()
    except AddressError as error:
        found["to"] = f"{str(error).capitalize()}: write the e-mail address of the new reviewer."
    if not form.get("reason", "").strip():
        found["reason"] = "Write why these items are handed over."
    if items == ():
        found["chosen"] = "Choose at least one item, or all of them."
    return found, to


def _choice(request: Request, values: Mapping[str, str], problems: Mapping[str, str]) -> Response:
    site = _owned(request)
    giver = values.get("from", "")
    people = site.store.cards(giver, CardFilter(decision="pending"), 0, _PEOPLE)[0] if giver else ()
    total = site.store.progress(giver).pending if giver else 0
    moved = _number(values.get("moved", ""))
    mail = {
        "": "Tell them: no mail was sent.",
        "sent": "They got a mail with a link.",
        "written": "A mail to them was written to a file, to be sent by hand.",
    }.get(values.get("mail", ""), "The mail to them was not sent; a reminder reaches them.")
    return site.page(
        request,
        "reassign.html",
        422 if problems else 200,
        values=defaultdict(str, values),
        problems=defaultdict(str, problems),
        reviewers=[row for row in site.store.reviewers() if row.pending],
        items=[(person, item) for person in people for item in person.items if item.answer is None],
        total=total,
        said="" if moved is None else f"{counted(moved, 'item')} handed to {values.get('to', '')}. {mail}".strip(),
    )


def _overview(
    campaign: CampaignFacts, reviewers: tuple[CardProgress, ...], risks: tuple[CardProgress, ...], today: date
) -> Overview:
    """Return the progress of a campaign in words and numbers."""
    total = summed(campaign.name, reviewers)
    late = campaign.due_on is not None and campaign.due_on < today and total.pending > 0
    waiting = [row for row in reviewers if row.pending]
    if not waiting:
        headline = f"All {counted(total.items, 'item')} are decided"
        signed = f"The campaign was signed off on {text.day(campaign.closed_at)}." if campaign.closed_at else ""
        lead = signed or "The campaign can be signed off."
    else:
        headline = f"{total.decided:,} of {counted(total.items, 'item')} are decided"
        names = f"{len(waiting)} of {counted(len(reviewers), 'reviewer')} {'has' if len(waiting) == 1 else 'have'}"
        risky = f", {total.high_risk_pending:,} of them high risk" if total.high_risk_pending else ""
        lead = f"{names} {counted(total.pending, 'open item')}{risky}. {_due(campaign, today, late=late)}"
    return Overview(headline, lead, total, reviewers, risks, late)


def _due(campaign: CampaignFacts, today: date, *, late: bool) -> str:
    if campaign.due_on is None:
        return "No due date was set."
    days = counted(abs((campaign.due_on - today).days), "day")
    if late:
        return f"They were due on {text.day(campaign.due_on)}, {days} ago."
    return f"They are due on {text.day(campaign.due_on)}, in {days}."


def _when(row: LoggedDecision) -> str:
    return text.moment(row.decided_at.replace(second=0, microsecond=0))


def _how(row: LoggedDecision) -> str:
    methods = {"link": "link", "oidc": "single sign-on", "file": "file"}
    parts = [methods.get(row.method, row.method)]
    if row.is_bulk:
        parts.append("with the recommendations")
    if row.undoes:
        parts.append("undo")
    return ", ".join(parts)


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 16 else None


def _owned(request: Request) -> Site:
    visitor = visitor_of(request)
    if visitor is None or not visitor.is_owner:
        raise RequestRefusedError(NOT_OWNER)
    return site_of(request)
