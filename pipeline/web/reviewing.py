"""The pages of a reviewer: the list, one person, and what the forms on them do.

Each form works in two ways. Without JavaScript a POST ends with a redirect, or with the page of the person where
something is missing. The script asks for JSON instead, and gets the parts of the page that have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.review.answers import AnswerProblem, read_form
from pipeline.review.store import (
    Actor,
    AnswerRefused,
    CampaignClosed,
    LastStep,
    NothingToAccept,
    NothingToUndo,
    NotYourItem,
)
from pipeline.web.intro import introduce, total
from pipeline.web.listing import CHOICES, DECISIONS, PAGE, Card, Entry, Listing, Query, arrange
from pipeline.web.questions import question
from pipeline.web.refusal import RefusedRequest, RequestRefusedError
from pipeline.web.site import Site, site_of, visitor_of
from pipeline.wording import counted

__all__ = ["routes"]

_NOT_YOURS = RefusedRequest(
    404,
    "not_yours",
    "",
    "This is not in your list",
    "It does not exist, or another reviewer decides on it. Nothing was changed.",
    "Go back to your list.",
)
_NO_REVIEWER = RefusedRequest(
    403,
    "no_reviewer",
    "",
    "There is nothing for you to decide",
    "You review no access here, or all of it was handed over.",
)
_CLOSED = RefusedRequest(
    409,
    "closed",
    "",
    "This campaign was signed off",
    "Its decisions can no longer be changed. Nothing was saved.",
    "If something in it is wrong, tell the owner of the campaign: they can change the access in Sisense or open "
    "another campaign.",
)
#: What each decision means, for the page of help.
_MEANINGS = (
    ("Keep", "The access is needed. For high risk, give a reason."),
    ("Remove", "Take the access away. For high risk, give a reason. Removing a role deactivates the account."),
    ("Reduce", "A lower role is enough: choose it. For high risk, give a reason."),
    ("Defer", "Decide later: choose the day."),
    ("Exception", "The access is needed although it breaks a rule: name who approved it, and its last day."),
)


def routes() -> list[Route]:
    """Return the routes of reviewers."""
    return [
        Route("/", start),
        Route("/people/{card_id}", person),
        Route("/decide", decide, methods=["POST"]),
        Route("/accept", accept, methods=["POST"]),
        Route("/undo", undo, methods=["POST"]),
        Route("/help", help_page),
    ]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a form changed: the person and items to show again. ``focus`` is the item to go to."""

    said: str
    card_id: str = ""
    item_ids: Sequence[str] = ()
    focus: str = ""
    is_saved: bool = False


def start(request: Request) -> Response:
    """Show what is asked, how far it is, and the people who match the filter."""
    site = site_of(request)
    visitor = visitor_of(request)
    if visitor and visitor.is_owner and not visitor.is_reviewer:
        return RedirectResponse("/campaign", 303)
    reviewer = _reviewer(request)
    query = Query.read(request.query_params)
    people, total = site.store.cards(reviewer, query.to_filter(), query.skip, PAGE)
    if query.skip and not people:  # the last people of the list were decided meanwhile
        return RedirectResponse(query.skipping(0).url, 303)
    choices = site.store.choices(reviewer)
    cards = arrange(people, reviewer, site.store.target_roles())
    return _page(request, "start.html", Listing(query, cards, total, choices))


def person(request: Request) -> Response:
    """Show one person, with a question if the address has a decision that needs more than its name."""
    site, reviewer = site_of(request), _reviewer(request)
    card = _card(site, reviewer, request.path_params["card_id"])
    asked = {name: request.query_params.get(name, "") for name in ("item_id", "decision")}
    if asked["decision"] in {value for value, _, _ in DECISIONS} and not site.store.campaign.closed_at:
        _ask(site, card, asked, ())
    return _person_page(request, card, Query.read_encoded(request.query_params.get("back", "")))


def decide(request: Request) -> Response:
    """Save one decision, or ask for what it needs."""
    site, form = site_of(request), request.state.form
    card = _card(site, _reviewer(request), form.get("card_id", ""))
    entry = _entry(card, form.get("item_id", ""))
    answer, problems = read_form(form)
    try:
        if problems:
            raise AnswerRefused(problems)
        site.store.decide(_actor(request), entry.item.item_id, answer, now=site.clock())
    except AnswerRefused as error:
        return _incomplete(request, card, error.problems)
    except NotYourItem as error:
        raise RequestRefusedError(_NOT_YOURS) from error
    except CampaignClosed as error:
        raise RequestRefusedError(_CLOSED) from error
    said = f"Saved: {answer.decision} {entry.item.name}, {card.person.name}."
    return _done(request, _Change(said, card.person.card_id, (entry.item.item_id,), is_saved=True))


def accept(request: Request) -> Response:
    """Keep all open items of a person, where that is recommended."""
    site, form = site_of(request), request.state.form
    card = _card(site, _reviewer(request), form.get("card_id", ""))
    changed = tuple(entry.item.item_id for entry in card.entries if entry.item.answer is None)
    try:
        kept = site.store.accept_recommendations(_actor(request), card.person.card_id, now=site.clock())
        said, is_saved = f"Saved: keep {counted(kept, 'item')}, {card.person.name}.", True
    except NothingToAccept:
        is_saved = False
        said = "Decide on each item of this person." if changed else "All items of this person are decided and saved."
    except NotYourItem as error:
        raise RequestRefusedError(_NOT_YOURS) from error
    except CampaignClosed as error:
        raise RequestRefusedError(_CLOSED) from error
    return _done(request, _Change(said, card.person.card_id, changed, is_saved=is_saved))


def undo(request: Request) -> Response:
    """Take back the reviewer's last step."""
    site = site_of(request)
    try:
        undone = site.store.undo(_actor(request), step_id=request.state.form.get("step") or None, now=site.clock())
    except NothingToUndo as error:
        return _done(request, _Change(f"{str(error).capitalize()}."))
    except CampaignClosed as error:
        raise RequestRefusedError(_CLOSED) from error
    item_ids = tuple(decision.item_id for decision in undone)
    item = site.store.item(_reviewer(request), item_ids[0])
    if item is None:  # handed over meanwhile
        return _done(request, _Change("Taken back."))
    what = item.name if len(item_ids) == 1 else counted(len(item_ids), "item")
    return _done(request, _Change(f"Taken back: {what}.", item.card_id, item_ids, focus=item.item_id))


def help_page(request: Request) -> Response:
    """Explain the decisions, the keys, and what is recorded."""
    return site_of(request).page(request, "help.html", decisions=DECISIONS, meanings=_MEANINGS)


def _reviewer(request: Request) -> str:
    visitor = visitor_of(request)
    if visitor is None or not visitor.is_reviewer:
        raise RequestRefusedError(_NO_REVIEWER)
    return visitor.email


def _actor(request: Request) -> Actor:
    visitor = visitor_of(request)
    if visitor is None:
        raise RequestRefusedError(_NO_REVIEWER)
    return Actor(visitor.email, visitor.method, request.state.address)


def _card(site: Site, reviewer: str, card_id: str) -> Card:
    found = site.store.card(reviewer, card_id)
    if found is None:
        raise RequestRefusedError(_NOT_YOURS)
    return arrange([found], reviewer, site.store.target_roles())[0]


def _entry(card: Card, item_id: str) -> Entry:
    for entry in card.entries:
        if entry.item.item_id == item_id:
            return entry
    raise RequestRefusedError(_NOT_YOURS)


def _ask(site: Site, card: Card, form: Mapping[str, str], problems: Sequence[AnswerProblem]) -> None:
    """Put the question for a decision into its item."""
    entry = _entry(card, form["item_id"])
    opened_on = site.store.campaign.opened_at.date()
    entry.question = question(entry.item, form, problems, site.store.target_roles(), opened_on)


def _incomplete(request: Request, card: Card, problems: Sequence[AnswerProblem]) -> Response:
    """Ask for what a decision needs; problems are shown only if the question was answered."""
    site, form = site_of(request), request.state.form
    is_answered = bool(form.get("answered")) or any(problem.field == "decision" for problem in problems)
    query = Query.read_encoded(form.get("back", ""))
    if not is_answered and not _wants_json(request):
        asked = {"item_id": form["item_id"], "decision": form["decision"]}
        return RedirectResponse(Listing(query).person_url(card.person.card_id, form["item_id"], **asked), 303)
    _ask(site, card, form, problems if is_answered else ())
    if not _wants_json(request):
        return _person_page(request, card, query, status=422)
    said = "Not saved yet: please correct the answer." if is_answered else ""
    parts = _parts(request, card, [form["item_id"]], query)
    return JSONResponse({"parts": parts, "said": said, "is_problem": is_answered})


def _done(request: Request, change: _Change) -> Response:
    """Show what changed: as parts of the page, or by a redirect to the list."""
    site, form = site_of(request), request.state.form
    listing = Listing(Query.read_encoded(form.get("back", "")))
    if not _wants_json(request):
        return RedirectResponse(_following(listing, change, form), 303)
    person_url = listing.person_url(change.card_id, change.focus) if change.card_id else ""
    standing = _standing(request)
    intro = site.fill("web/intro.html", None, campaign=site.store.campaign, visitor=visitor_of(request), **standing)
    parts = {"intro": intro}
    if change.card_id:
        parts |= _parts(request, _card(site, _reviewer(request), change.card_id), change.item_ids, listing.query)
    return JSONResponse(
        {
            "parts": parts,
            "said": change.said,
            "last": standing["last"],
            "step": standing["step"],
            "focus": f"i-{change.focus}" if change.focus else "",
            "link": person_url,
            "is_saved": True,
        }
    )


def _following(listing: Listing, change: _Change, form: Mapping[str, str]) -> str:
    """Return the page after a form, with what it shall say was done."""
    if change.focus:
        several = {"step": "several"} if len(change.item_ids) > 1 else {}
        return listing.person_url(change.card_id, change.focus, undone=change.focus, **several)
    address = listing.back_url
    if change.is_saved:
        address += ("&" if "?" in address else "?") + "done=saved"
    following = form.get("next", "")
    return address + (f"#i-{following}" if following.isalnum() else "")


def _parts(request: Request, card: Card, item_ids: Iterable[str], query: Query) -> dict[str, str]:
    """Return the HTML of a person's name and of some items, by the id of the element that it replaces."""
    site = site_of(request)
    values = {
        "visitor": visitor_of(request),
        "campaign": site.store.campaign,
        "list": Listing(query),
        "decisions": DECISIONS,
    }
    parts = {
        f"i-{item_id}": site.fill("web/item.html", None, entry=_entry(card, item_id), **values)
        for item_id in item_ids
    }
    head = site.fill("web/card_head.html", None, card=card, **values)
    return {**parts, f"h-{card.person.card_id}": head}


def _standing(request: Request) -> dict[str, Any]:
    """Return how far the reviewer is, and their last decision in words."""
    site, reviewer = site_of(request), _reviewer(request)
    parts = site.store.parts(reviewer)
    progress = total(reviewer, parts)
    intro = introduce(site.store.campaign, progress, parts, site.clock().date())
    last = site.store.last_step(reviewer)
    return {"progress": progress, "intro": intro, "last": _last(last), "step": last.step_id if last else ""}


def _last(step: LastStep | None) -> str:
    if step is None:
        return ""
    if step.is_bulk:
        return f"keep {counted(step.items, 'item')}, {step.person}"
    return f"{step.decision} {step.name}, {step.person}"


def _said(request: Request, last: str) -> str:
    """Return what the form before this page did, for browsers without JavaScript.

    The address names only which kind of step it was, and the item: its words come from the store.
    """
    if request.query_params.get("done") == "saved" and last:
        return f"Saved: {last}."
    site, undone = site_of(request), request.query_params.get("undone", "")
    item = site.store.item(_reviewer(request), undone) if undone else None
    if item is None:
        return ""
    person = site.store.card(_reviewer(request), item.card_id)
    name = person.name if person else ""
    others = " and the other items of the same step" if request.query_params.get("step") == "several" else ""
    return f"Taken back: {item.name}{others}, {name}."


def _page(request: Request, name: str, listing: Listing, status: int = 200, **values: Any) -> Response:
    standing = _standing(request)
    values |= {"list": listing, "decisions": DECISIONS, "decision_choices": CHOICES}
    values |= {"said": _said(request, standing["last"])}
    return site_of(request).page(request, name, status, **standing, **values)


def _person_page(request: Request, card: Card, query: Query, status: int = 200) -> Response:
    return _page(request, "person.html", Listing(query, (card,), 1), status, card=card, has_problems=status != 200)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
