"""``review``: open a campaign, hand out packets, import decisions, sign off."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import invite
from pipeline.cli.commands import Commands
from pipeline.cli.serve import serve
from pipeline.cli.terminal import Terminal, align, email_address, required_name
from pipeline.errors import UsageError
from pipeline.reporting.text import count, moment

if TYPE_CHECKING:
    from pipeline.review.campaign import ReviewerProgress, RiskProgress
    from pipeline.review.service import CampaignStatus, Import, ReviewService

__all__ = ["register"]

_commands = Commands(
    name="review",
    help="Open a review, send packets, import decisions, sign off.",
    no_args_is_help=True,
)


class Scope(StrEnum):
    """The access that a campaign covers."""

    all = "all"
    privileged = "privileged"
    external = "external"
    flagged = "flagged"
    changed = "changed"


Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The campaign (default: the only open one).")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _commands.command("open", epilog="Example: access-review review open --name 2026-Q4 --reviewer ciso@example.com")(
        open_review
    )
    _commands.command(epilog="Example: access-review review packets")(packets)
    _commands.command(epilog="Example: access-review review serve")(serve)
    _commands.command("import", epilog="Example: access-review review import returned/*.xlsx")(import_files)
    _commands.command(epilog="Example: access-review review status")(status)
    _commands.command(
        epilog="Example: access-review review sign-off --by 'Ann Ek' --email ann@example.com --role CISO"
    )(sign_off)
    _commands.command(epilog="Example: access-review review invite --name 2026-Q4")(invite.invite)
    _commands.command(epilog="Example: access-review review remind --overdue")(invite.remind)
    _commands.command(
        epilog="Example: access-review review reassign --all --from ann@example.com --to bo@example.com "
        "--reason 'on leave'"
    )(invite.reassign)
    _commands.command(epilog="Example: access-review review due --open --reviewer ciso@example.com")(invite.due)
    app.add_typer(_commands)


def open_review(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new campaign, as 2026-Q4.")],
    scope: Annotated[Scope, typer.Option(help="The access to review.")] = Scope.all,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHO",
            help="Reviewer: owner, manager or an e-mail address; the first that applies (repeatable). Addresses come "
            "last. Default: owner, then manager.",
        ),
    ] = None,
    due: Annotated[str | None, typer.Option(metavar="DATE", help="Last day for decisions, as 2026-12-31.")] = None,
) -> None:
    """Open a campaign over the access in the current build.

    Every role and group of every account becomes an item with one reviewer, who is never its holder.
    """
    from pipeline.review.service import NewCampaign

    terminal: Terminal = context.obj
    opened = _service(terminal).open(NewCampaign(name, scope.value, reviewer or (), _day(due)))
    summary = f"{count(opened.items, 'item')} for {count(len(opened.reviewers), 'reviewer')}"
    terminal.say(f"campaign {name} over snapshot {opened.snapshot_id}: {summary}")
    for each in opened.left_out:
        terminal.say(f"left out {each.items}: {each.reason}")
    terminal.result(
        align(
            ("reviewer", "items", "high risk"),
            [(row.reviewer_email, row.items, row.high_risk) for row in opened.reviewers],
        ),
        {
            "campaign": name,
            "snapshot_id": opened.snapshot_id,
            "items": opened.items,
            "reviewers": [asdict(row) for row in opened.reviewers],
            "left_out": [asdict(each) for each in opened.left_out],
        },
    )


def packets(context: typer.Context, name: Name = None) -> None:
    """Write a workbook, a CSV file and a PDF for each reviewer.

    The files are written to campaigns/NAME in the report directory.
    """
    terminal: Terminal = context.obj
    service = _service(terminal)
    with terminal.progress():
        written = service.write_packets(name)
    terminal.result("\n".join(map(str, written.files)), {"campaign": written.campaign, "files": written.files})


def import_files(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", help="Returned packets, XLSX or CSV (repeatable). Without: the decisions on the page."
        ),
    ] = None,
    name: Name = None,
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Import the correct rows of a file with mistakes."),
    ] = False,
) -> None:
    """Import decisions from returned packets, or from the page.

    Without FILE, the decisions, reassignments and mails of the page are brought in. A file with mistakes is not
    imported, and all its mistakes are listed; decisions on the page come before those of a file.
    """
    terminal: Terminal = context.obj
    if not files:
        _import_page(terminal, name)
        return
    found = _service(terminal).import_files(files, name, skip_invalid=skip_invalid)
    if found.files or terminal.json:
        _show_import(terminal, found)
    for error in found.refused[1:]:
        terminal.problem(str(error))
    if found.refused:
        raise found.refused[0]
    if found.problems and not skip_invalid:
        raise UsageError(
            f"{count(found.problems, 'problem')}: files with problems were not imported",
            where=", ".join(str(path) for path, imported in found.files if imported.problems),
            hint="correct these cells, or add --skip-invalid to import the other rows",
        )


def status(context: typer.Context, name: Name = None) -> None:
    """Show progress by reviewer, and what blocks sign-off.

    Without --name, shows the open campaign, or the last one if all are signed off.
    """
    terminal: Terminal = context.obj
    found = _service(terminal).status(name)
    facts = [
        f"campaign  {found.campaign}{_signed(found)}",
        f"snapshot  {found.snapshot_id}",
        f"due       {found.due_on or 'no date'}",
        *_overdue(found),
        "items     {items} = {kept} kept + {removed} removed + {reduced} reduced + {deferred} deferred + "
        "{excepted} excepted + {pending} pending".format(**asdict(found.decisions)),
        "sign-off  "
        + (f"waits for {count(len(found.blockers), 'item')}" if found.blockers else "nothing is missing"),
        *_on_page(found),
        "",
        _table(found.reviewers, ("reviewer_email", "decided", "items", "pending", "high_risk_pending")),
        "",
        _table(found.risks, ("risk", "decided", "items", "pending")),
    ]
    document = asdict(found)
    terminal.result("\n".join(facts), document | {"is_overdue": found.days_overdue > 0})


def sign_off(
    context: typer.Context,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Name of the person who signs.", callback=required_name)
    ],
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="Their e-mail address.", callback=email_address)
    ],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="Their role, as CISO.")],
    name: Name = None,
) -> None:
    """Sign off a campaign whose items are all decided.

    The decisions are sealed in a folder of their own, and the snapshot becomes the baseline of later reports.
    """
    from pipeline.review.service import Signer

    terminal: Terminal = context.obj
    signed = _service(terminal).sign_off(Signer(by, email, role), name)
    terminal.say(f"signed off {signed.campaign}; snapshot {signed.snapshot_id} is the baseline from now on")
    terminal.result("\n".join(map(str, signed.files)), {"campaign": signed.campaign, "files": signed.files})


def _service(terminal: Terminal) -> ReviewService:
    from pipeline.review.service import ReviewService

    return ReviewService(terminal.settings(), progress=terminal)


def _import_page(terminal: Terminal, name: str | None) -> None:
    page = _service(terminal).bring_in(name)
    if page is None:
        raise UsageError(
            "there is nothing to import: no file was named, and the campaign has no page",
            where="",
            hint="name the returned packets, as in: access-review review import returned/*.xlsx",
        )
    new, changed = page.found.new, page.found.changed
    if page.found.reassigned:
        terminal.say(f"{count(page.found.reassigned, 'reassignment')} brought in")
    terminal.result(
        align(("file", "new", "changed"), [(page.path.name, new, changed)]),
        [
            {
                "file": page.path,
                "campaign": page.campaign,
                "new": new,
                "changed": changed,
                "unchanged": 0,
                "blank": 0,
                "problems": [],
                "reassigned": page.found.reassigned,
            }
        ],
    )


def _show_import(terminal: Terminal, found: Import) -> None:
    for path, imported in found.files:
        for problem in imported.problems:
            terminal.problem(f"{path}, {problem.place}: {problem.text}")
        for each in imported.replaced:
            time = each.decided_at.strftime(" on %Y-%m-%d %H:%M UTC") if each.decided_at else ""
            terminal.note(f"{each.item}: was {each.was} (page{time}), now {each.now} ({path.name})")
        if imported.left_out:
            terminal.note(f"{count(imported.left_out, 'row')} of {path.name} not imported")
    header = ("file", "new", "changed", "as before", "left blank", "problems")
    terminal.result(
        align(
            header,
            [
                (path.name, each.new, each.changed, each.unchanged, each.blank, len(each.problems))
                for path, each in found.files
            ],
        ),
        [
            {
                "file": path,
                "campaign": each.campaign,
                "new": each.new,
                "changed": each.changed,
                "unchanged": each.unchanged,
                "blank": each.blank,
                "not_imported": each.left_out,
                "replaced": [
                    {"item": old.item, "was": old.was, "decided_at": old.decided_at, "now": old.now}
                    for old in each.replaced
                ],
                "problems": [{"place": problem.place, "problem": problem.text} for problem in each.problems],
            }
            for path, each in found.files
        ],
    )


def _signed(found: CampaignStatus) -> str:
    return f", signed off by {found.signed_by} on {moment(found.signed_at)}" if found.is_signed else ""


def _overdue(found: CampaignStatus) -> list[str]:
    if not found.days_overdue:
        return []
    late = [row for row in found.reviewers if row.pending]
    pending = count(sum(row.pending for row in late), "item")
    return [f"OVERDUE   by {count(found.days_overdue, 'day')}: {pending} pending, of {count(len(late), 'reviewer')}"]


def _on_page(found: CampaignStatus) -> list[str]:
    parts = [
        count(number, noun)
        for number, noun in ((found.decisions_on_page, "decision"), (found.reassignments_on_page, "reassignment"))
        if number
    ]
    lines = [f"page      {' and '.join(parts)} not brought in: run 'access-review review import'"] if parts else []
    if found.refused_requests:
        lines.append(f"refused   {count(found.refused_requests, 'request')}; the page shows them to its owners")
    return lines


def _table(rows: Sequence[ReviewerProgress | RiskProgress], names: Sequence[str]) -> str:
    """Return progress as columns of text; on a terminal, each line ends with a bar."""
    header = [name.removesuffix("_email").replace("_", " ") for name in names]
    cells: list[list[Any]] = [[getattr(row, name) for name in names] for row in rows]
    if sys.stdout.isatty():
        header.append("")
        cells = [[*line, _bar(row)] for line, row in zip(cells, rows, strict=True)]
    return align(header, cells)


def _bar(row: ReviewerProgress | RiskProgress) -> str:
    done = 20 * row.decided // row.items if row.items else 20
    return f"[{'#' * done}{'.' * (20 - done)}]"


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a date", where="--due", hint="write it as 2026-12-31") from error
