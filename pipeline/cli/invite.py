"""``review invite``, ``remind``, ``reassign`` and ``due``: mail to reviewers, and reviews that are due."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal, align
from pipeline.errors import SourceError, UsageError
from pipeline.reporting.text import count, day

if TYPE_CHECKING:
    from pipeline.review.correspondence import Correspondence, OpenedReview
    from pipeline.review.notices import MailResult, MailRun

__all__ = ["due", "invite", "reassign", "remind"]

_Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The campaign (default: the only open one).")
]


def invite(context: typer.Context, name: _Name = None) -> None:
    """Mail each reviewer and owner a link to the page.

    Each gets one invitation; a second call sends only what is missing. Without base_url in [web] the workbook of the
    reviewer is attached. Without smtp_url in [mail] the mails are written to files for you to send.
    """
    terminal: Terminal = context.obj
    with terminal.progress():
        run = _correspondence(terminal).invite(name)
    _show(terminal, run)


def remind(
    context: typer.Context,
    name: _Name = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only if the due date of the campaign has passed.")
    ] = False,
) -> None:
    """Mail the reviewers who still have open items.

    Each gets at most one reminder a day, with a new link that replaces the earlier ones.
    """
    terminal: Terminal = context.obj
    with terminal.progress():
        run = _correspondence(terminal).remind(name, only_overdue=overdue)
    _show(terminal, run)


def reassign(
    context: typer.Context,
    from_reviewer: Annotated[str, typer.Option("--from", metavar="EMAIL", help="The reviewer until now.")],
    to_reviewer: Annotated[str, typer.Option("--to", metavar="EMAIL", help="The reviewer from now on.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record and the mail.")],
    item: Annotated[
        list[str] | None, typer.Option("--item", metavar="ID", help="Item to hand over (repeatable).")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Hand over all open items.")] = False,
    name: _Name = None,
) -> None:
    """Hand items over to another reviewer.

    The new reviewer gets a mail. The first reviewer stays on record. People never get items about their own access.
    """
    from pipeline.review.notices import Handover

    terminal: Terminal = context.obj
    if bool(item) == every:
        raise UsageError("it is not clear which items to hand over", where="", hint="give --item ID, or --all")
    handover = Handover(
        items=None if every else item,
        from_reviewer=from_reviewer,
        to_reviewer=to_reviewer,
        reason=reason,
        by=getpass.getuser(),
    )
    with terminal.progress():
        moved, run = _correspondence(terminal).reassign(handover, name)
    terminal.say(f"{count(moved, 'item')} of {from_reviewer} handed over to {to_reviewer}")
    _show(terminal, run, {"items": moved})


def due(
    context: typer.Context,
    is_open: Annotated[bool, typer.Option("--open", help="Open the campaigns that are due.")] = False,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHO",
            help="Reviewer of campaigns that are opened: owner, manager or an e-mail address (repeatable). Default: "
            "as in the last campaign of the same scope.",
        ),
    ] = None,
) -> None:
    """Show which reviews are due by the cadence.

    [cadence] in the configuration sets it: each month, quarter or year needs one review that was opened in it. A
    review of all access counts for every scope.
    """
    terminal: Terminal = context.obj
    correspondence = _correspondence(terminal)
    if is_open:
        _show_opened(terminal, correspondence.open_due(reviewer or ()))
        return
    found = correspondence.due()
    terminal.result(
        align(
            ("scope", "every", "due by", "state", "campaign", "why"),
            [
                (
                    each.scope,
                    each.period,
                    day(each.due_on),
                    f"{each.state}, late" if each.is_late else each.state,
                    each.campaign,
                    each.reason,
                )
                for each in found
            ],
        ),
        [asdict(each) for each in found],
    )


def _show_opened(terminal: Terminal, found: tuple[OpenedReview, ...]) -> None:
    if not found:
        terminal.say("no review is due; 'access-review review due' shows why")
    rows = [
        (
            each.review.campaign,
            each.review.scope,
            day(each.review.due_on),
            each.opened.items if each.opened else 0,
            "opened" if each.opened else f"not opened: {each.error.message if each.error else ''}",
        )
        for each in found
    ]
    terminal.result(
        align(("campaign", "scope", "due by", "items", "result"), rows),
        [
            {
                "campaign": each.review.campaign,
                "scope": each.review.scope,
                "due_on": each.review.due_on,
                "items": each.opened.items if each.opened else 0,
                "is_opened": each.opened is not None,
                "problem": each.error.message if each.error else None,
            }
            for each in found
        ],
    )
    for each in found:
        if each.error is not None:
            raise each.error


def _show(terminal: Terminal, run: MailRun, more: dict[str, object] | None = None) -> None:
    """Print what became of each mail.

    Raises:
        SourceError: a mail was not sent, or perhaps not.
    """
    for note in run.notes:
        terminal.say(note)
    if not run.results:
        terminal.say("there is no mail to send")
    terminal.result(
        align(("to", "mail", "result"), [(each.recipient, each.kind, _words(each)) for each in run.results])
        if run.results
        else "",
        {
            "campaign": run.campaign,
            **(more or {}),
            "mails": [asdict(each) for each in run.results],
            "notes": run.notes,
        },
    )
    if run.error is not None:
        raise run.error
    if run.failures:
        raise SourceError(
            f"{count(len(run.failures), 'mail')} of {len(run.results)} {'was' if len(run.failures) == 1 else 'were'} "
            "not sent, or perhaps not",
            where=f"campaign {run.campaign}",
            hint="correct the cause that the list names, then run the command again: it sends only what is missing",
        )


def _words(result: MailResult) -> str:
    detail = result.detail
    return {
        "sent": "sent",
        "written": f"written to {detail}",
        "failed": f"not sent: {detail}",
        "uncertain": f"uncertain: {detail}",
        "sent_before": detail,
        "not_tried": f"not sent: {detail}",
    }[result.state]


def _correspondence(terminal: Terminal) -> Correspondence:
    from pipeline.review.correspondence import Correspondence

    return Correspondence(terminal.settings(), progress=terminal)
