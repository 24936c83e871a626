"""``review``: a campaign is opened, packets go out, decisions come in, and somebody signs."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align, email_address, required_name
from pipeline.errors import GateError, UsageError
from pipeline.reporting.text import count

__all__ = ["register"]

_commands = Commands(
    name="review",
    help="Open a review, send packets, import decisions, sign off.",
    no_args_is_help=True,
)


class Scope(StrEnum):
    """What is put to reviewers."""

    all = "all"
    privileged = "privileged"
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
    _commands.command("import", epilog="Example: access-review review import returned/*.xlsx")(import_files)
    _commands.command(epilog="Example: access-review review status")(status)
    _commands.command(
        epilog="Example: access-review review sign-off --by 'Ann Ek' --email ann@example.com --role CISO"
    )(sign_off)
    app.add_typer(_commands)


def open_review(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="A name for the campaign, as 2026-Q4.")],
    scope: Annotated[Scope, typer.Option(help="Which access to review.")] = Scope.all,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHO",
            help="Who reviews: owner, manager or an e-mail address; the first that applies (repeatable). Addresses "
            "come last. Default: owner, then manager.",
        ),
    ] = None,
    due: Annotated[str | None, typer.Option(metavar="DATE", help="Last day for decisions, as 2026-12-31.")] = None,
) -> None:
    """Open a campaign over the access in the current build.

    Every role and group of every account becomes an item with one reviewer, who is never its holder.
    """
    from pipeline.review import campaign as campaigns
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    with database.writing(terminal.settings().warehouse.database, notify=terminal.note) as connection:
        opened = campaigns.open_campaign(
            connection, name=name, scope=scope.value, chain=reviewer or [], due_on=_day(due), now=_now()
        )
        campaigns.hold_current(connection, name)
        progress = campaigns.rows(connection, "progress")
        excluded = connection.execute(
            "select exclusion_reason, count(*) from review.items where campaign = $name "
            "and exclusion_reason is not null group by all order by all",
            {"name": name},
        ).fetchall()
    items = sum(row["items"] for row in progress)
    asked = f"{count(items, 'item')} for {count(len(progress), 'reviewer')}"
    terminal.say(f"campaign {name} over snapshot {opened.snapshot_id}: {asked}")
    for reason, left_out in excluded:
        terminal.say(f"left out {left_out}: {reason}")
    header = ("reviewer", "items", "high risk")
    terminal.result(
        align(header, [(row["reviewer_email"], row["items"], row["high_risk"]) for row in progress]),
        {
            "campaign": name,
            "snapshot_id": opened.snapshot_id,
            "items": items,
            "reviewers": progress,
            "left_out": [{"reason": reason, "items": left_out} for reason, left_out in excluded],
        },
    )


def packets(context: typer.Context, name: Name = None) -> None:
    """Write a workbook, a CSV file and a PDF for each reviewer.

    They go to campaigns/NAME below the report directory.
    """
    from pipeline.review import campaign as campaigns
    from pipeline.review import packets as handed_out
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    settings = terminal.settings()
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        campaign = campaigns.find(connection, name)
        with terminal.progress():
            written = handed_out.write(connection, campaign, settings.reports.directory, terminal)
    terminal.result("\n".join(map(str, written)), {"campaign": campaign.campaign, "files": written})


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Returned packets, XLSX or CSV (repeatable).")],
    name: Name = None,
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Import the valid rows of a file and leave out the others."),
    ] = False,
) -> None:
    """Import decisions from returned packets.

    A file with a mistake is not imported; all its mistakes are listed.
    """
    from pipeline.review.importing import import_file
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    results = []
    refused: list[UsageError | GateError] = []
    problems = 0
    with database.writing(terminal.settings().warehouse.database, notify=terminal.note) as connection:
        for path in files:
            try:
                found = import_file(connection, path, name=name, now=_now(), skip_invalid=skip_invalid)
            except (UsageError, GateError) as error:  # about this file alone; the others are still good
                refused.append(error)
                continue
            for text in found.notes:
                terminal.note(text)
            for problem in found.problems:
                sys.stderr.write(f"problem: {path}, {problem.place}: {problem.text}\n")
            problems += len(found.problems)
            results.append((path, found))
    header = ("file", "new", "changed", "as before", "left blank", "problems")
    rows = [(p.name, f.new, f.changed, f.unchanged, f.blank, len(f.problems)) for p, f in results]
    terminal.result(
        align(header, rows),
        [
            {
                "file": path,
                "campaign": found.campaign,
                "new": found.new,
                "changed": found.changed,
                "unchanged": found.unchanged,
                "blank": found.blank,
                "problems": [{"place": p.place, "problem": p.text} for p in found.problems],
            }
            for path, found in results
        ],
    )
    for other in refused[1:]:
        sys.stderr.write(f"problem: {other}\n")
    if refused:
        raise refused[0]
    if problems and not skip_invalid:
        raise UsageError(
            f"{count(problems, 'problem')}, and nothing of the files that have one was imported",
            where=", ".join(str(path) for path, found in results if found.problems),
            hint="correct the cells that are named, or add --skip-invalid to import the other rows",
        )


def status(context: typer.Context, name: Name = None) -> None:
    """Show progress by reviewer, and what blocks sign-off.

    Without --name this is the open campaign, or after sign-off the last one.
    """
    from pipeline.review import campaign as campaigns
    from pipeline.review.signing import quality
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    with database.reading(terminal.settings().warehouse.database, notify=terminal.note) as connection:
        campaign = campaigns.find(connection, name, or_last=True)
        campaigns.hold_current(connection, campaign.campaign)
        progress = campaigns.rows(connection, "progress")
        risks = campaigns.rows(connection, "progress_by_risk")
        decided = quality(connection, campaign.campaign)
        blockers = campaigns.rows(connection, "blockers", campaign=campaign.campaign)
    late = (_now().date() - campaign.due_on).days if campaign.due_on else 0
    days_overdue = late if late > 0 and decided["pending"] and not campaign.is_signed else 0
    facts = [
        f"campaign  {campaign.campaign}{', signed off' if campaign.is_signed else ''}",
        f"snapshot  {campaign.snapshot_id}",
        f"due       {campaign.due_on or 'no day'}",
        *_overdue(days_overdue, progress),
        "items     {items} = {kept} kept + {removed} removed + {reduced} reduced + {deferred} deferred + "
        "{excepted} excepted + {pending} pending".format(**decided),
        f"blockers  {len(blockers)}",
        "",
        _table(progress, ("reviewer_email", "decided", "items", "pending", "high_risk_pending")),
        "",
        _table(risks, ("risk", "decided", "items", "pending")),
    ]
    terminal.result(
        "\n".join(facts),
        {
            "campaign": campaign.campaign,
            "snapshot_id": campaign.snapshot_id,
            "is_signed": campaign.is_signed,
            "due_on": campaign.due_on,
            "is_overdue": days_overdue > 0,
            "days_overdue": days_overdue,
            "decisions": decided,
            "blockers": blockers,
            "reviewers": progress,
            "risks": risks,
        },
    )


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
    from pipeline.evidence.signature import signing_key
    from pipeline.review.signing import sign, to_sign
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    settings = terminal.settings()
    key = signing_key(os.environ)
    with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
        campaign = to_sign(connection, name, settings.reports.directory)
        files = sign(
            connection,
            campaign,
            by=by,
            email=email,
            role=role,
            directory=settings.reports.directory,
            now=_now(),
            key=key,
        )
    terminal.say(f"signed off {campaign.campaign}; snapshot {campaign.snapshot_id} is the baseline of what follows")
    terminal.result("\n".join(map(str, files)), {"campaign": campaign.campaign, "files": files})


def _overdue(days: int, progress: list[dict[str, Any]]) -> list[str]:
    if not days:
        return []
    waiting = [row for row in progress if row["pending"]]
    pending = sum(row["pending"] for row in waiting)
    late, what, whose = count(days, "day"), count(pending, "item"), count(len(waiting), "reviewer")
    return [f"OVERDUE   by {late}: {what} pending, of {whose}"]


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    """Return how far each is as columns of text, with a bar at the end where a person is watching."""
    header = [name.removesuffix("_email").replace("_", " ") for name in names]
    cells = [[row[name] for name in names] for row in rows]
    if sys.stdout.isatty():
        header.append("")
        cells = [[*line, _bar(row)] for line, row in zip(cells, rows, strict=True)]
    return align(header, cells)


def _bar(row: dict[str, Any]) -> str:
    done = 20 * row["decided"] // row["items"] if row["items"] else 20
    return f"[{'#' * done}{'.' * (20 - done)}]"


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a date", where="--due", hint="write it as 2026-12-31") from error


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
