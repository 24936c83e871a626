"""``remediate``: plan changes in Sisense; approve, apply, verify and undo them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.stages import Formats, parse_formats
from pipeline.cli.terminal import Terminal, align, email_address, required_name
from pipeline.errors import ConfigurationError, GateError, SourceError, UsageError
from pipeline.reporting.text import count

if TYPE_CHECKING:
    from pipeline.remediation.plan import Change
    from pipeline.remediation.service import PlanStatus, RemediationService, WrittenPlan
    from pipeline.reporting.decisions import DecisionSum

__all__ = ["register"]

DEFAULT_PLAN = Path("remediation-plan.json")

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan file.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Your name.", callback=required_name)]
Email = Annotated[
    str, typer.Option("--email", metavar="ADDRESS", help="Your e-mail address.", callback=email_address)
]

_commands = Commands(
    name="remediate",
    help="Plan changes in Sisense; approve, apply, verify and undo them.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _commands.command(epilog="Example: access-review remediate plan --stale-days 90")(plan)
    _commands.command(
        epilog="Example: access-review remediate approve remediation-plan.json --by 'Ann Ek' --email ann@example.com"
    )(approve)
    _commands.command(
        epilog="Example: access-review remediate apply remediation-plan.json --by 'Bo Dahl' --email bo@example.com"
    )(apply)
    _commands.command(epilog="Example: access-review remediate verify")(verify)
    _commands.command(epilog="Example: access-review remediate undo remediation-plan.json --out undo-plan.json")(undo)
    _commands.command(epilog="Example: access-review remediate status remediation-plan.json")(status)
    app.add_typer(_commands)


def plan(
    context: typer.Context,
    stale_days: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=36_500,
            help="Deactivate active accounts that were last seen more than N days ago.",
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Deactivate accounts with an open finding of this rule (repeatable)."),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Carry out the decisions of this signed-off campaign to remove or reduce access."
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="USER", help="Also change this service or break-glass account (repeatable)."),
    ] = None,
    max_share: Annotated[
        float,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Largest share of a source's accounts that may change."),
    ] = 10,
    max_age_hours: Annotated[
        float, typer.Option(metavar="HOURS", min=0, max=876_000, help="Oldest extract that a plan may rest on.")
    ] = 24,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File for the plan.")] = DEFAULT_PLAN,
) -> None:
    """Write a plan of changes; nothing is sent."""
    from pipeline.remediation.service import Selection

    selection = Selection(stale_days, tuple(rule or ()), campaign, tuple(include or ()), max_share, max_age_hours)
    _show_plan(context.obj, _service(context.obj).plan(selection, out), out)


def approve(context: typer.Context, file: PlanFile, by: By, email: Email) -> None:
    """Approve a plan as it is now.

    The approval is signed if a signing key is configured. A plan that is changed afterwards needs a new approval.
    """
    from pipeline.remediation import service

    terminal: Terminal = context.obj
    approved, approval = service.approve(file, by, email)
    is_signed = approval.signature is not None
    terminal.result(
        f"approved {approved.plan_id} ({count(len(approved.changes), 'change')}) by {by} <{email}>, "
        + ("signed" if is_signed else "not signed"),
        {
            "plan_id": approved.plan_id,
            "changes": len(approved.changes),
            "by": by,
            "email": email,
            "signed": is_signed,
        },
    )


def apply(
    context: typer.Context,
    file: PlanFile,
    by: By,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    single_operator: Annotated[
        bool,
        typer.Option("--single-operator", help="Let the person who approved the plan apply it; this is recorded."),
    ] = False,
) -> None:
    """Make the changes of an approved plan in Sisense.

    Accounts are changed one at a time. If it is interrupted, run it again: completed changes are not repeated.
    """
    from pipeline.remediation.service import Operator

    terminal: Terminal = context.obj
    service = _service(terminal)
    ready = service.prepare(file, Operator(by, email, single_operator))
    terminal.say(_table(ready.plan.changes))
    if not yes and ready.plan.changes:
        _confirm(len(ready.plan.changes))
    with terminal.progress():
        found = service.apply(ready)
    counts = _show_status(terminal, found, file)
    if counts["failed"] or counts["unclear"] or counts["open"]:
        raise SourceError(
            f"{count(counts['failed'], 'change')} failed, {counts['unclear']} unclear, {counts['open']} not tried",
            where=str(found.journal_file),
            hint="see the reasons above, then run the same command again: completed changes are not repeated",
        )


def verify(context: typer.Context, formats: Formats = "csv,xlsx,html,pdf") -> None:
    """Extract again and check every change that was applied."""
    terminal: Terminal = context.obj
    service = _service(terminal)
    with terminal.progress():
        found = service.verify(terminal.project(), formats=parse_formats(formats))
    if not found.files:
        terminal.say("no change has been applied, so there is nothing to verify: no extract was made")
        terminal.result("nothing to verify", {"verdicts": {}, "folder": None, "report_folder": None, "files": []})
        return
    counts = {
        name: found.verdicts.get(name, 0)
        for name in ("removed_verified", "still_present", "reappeared", "not_verifiable")
    }
    for name, changes in counts.items():
        terminal.say(f"{name:<17} {changes}")
    terminal.result(
        "\n".join(map(str, found.files)),
        {
            "verdicts": counts,
            "folder": found.files[0].parent,
            "report_folder": found.report_folder,
            "files": found.files,
        },
    )
    if sum(found.verdicts.values()) != counts["removed_verified"]:
        missing = counts["still_present"] + counts["reappeared"]
        raise GateError(
            f"{count(missing, 'change')} not found in Sisense, {counts['not_verifiable']} not verifiable",
            where=str(found.files[0]),
            hint="check these accounts in Sisense, then plan again",
        )


def undo(
    context: typer.Context,
    file: PlanFile = DEFAULT_PLAN,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File for the new plan.")] = Path(
        "undo-plan.json"
    ),
) -> None:
    """Write a plan that reverses the changes of a plan.

    Approve and apply it like any other plan.
    """
    from pipeline.remediation import service

    terminal: Terminal = context.obj
    written = service.undo(file, out, database_path=_database(terminal), notify=terminal.note)
    _show_plan(terminal, written, out)


def status(context: typer.Context, file: PlanFile = DEFAULT_PLAN) -> None:
    """Show who approved a plan, and the state of each change."""
    from pipeline.remediation import service

    terminal: Terminal = context.obj
    found = service.status(file, database_path=_database(terminal), notify=terminal.note)
    approval = found.plan.approval
    terminal.say(f"plan      {found.plan.plan_id}")
    terminal.say("approved  " + (f"by {approval.by} <{approval.email}>, {approval.at}" if approval else "no"))
    _show_status(terminal, found, file)


def _service(terminal: Terminal) -> RemediationService:
    from pipeline.remediation.service import RemediationService

    return RemediationService(terminal.settings(), progress=terminal)


def _database(terminal: Terminal) -> Path | None:
    """Return the configured database, or None: a plan file can be read without a configuration."""
    try:
        return terminal.settings().warehouse.database
    except ConfigurationError:
        return None


def _show_plan(terminal: Terminal, written: WrittenPlan, out: Path) -> None:
    from pipeline.remediation.planning import MAY_BE_NAMED, decision_sum
    from pipeline.remediation.tasks import without_owner

    plan = written.plan
    if plan.left_out:
        terminal.say("left out:")
        terminal.say(
            align(
                ("source", "user name", "change", "reason"),
                _by_name(
                    (row.source, row.user_name or row.account_id, row.what, row.reason) for row in plan.left_out
                ),
            )
        )
        if any(row.reason in MAY_BE_NAMED for row in plan.left_out):
            terminal.say("service and emergency accounts change only if they are named with --include")
    found = decision_sum(plan)
    if found is not None:
        terminal.say(f"review {found.campaign}: {found.text}")
    if written.tasks:
        listed, *mails = written.task_files
        terminal.say(f"{count(len(written.tasks), 'task')} in applications that are read from files: {listed}")
        if mails:
            terminal.say(f"send {count(len(mails), 'mail')} to their owners: {mails[0].parent}")
        if advice := without_owner(written.tasks):
            terminal.say(advice)
    by_hand = {"tasks": len(written.tasks), "task_files": written.task_files} if written.tasks else {}
    if written.file is None:
        nothing = {"file": None, "plan_id": None, "changes": 0, "left_out": len(plan.left_out)}
        text = "nothing to change in Sisense" if by_hand else "nothing to change"
        terminal.result(text, nothing | by_hand | _decisions(found))
        return
    for warning in written.warnings:
        terminal.note(warning)
    terminal.say(_table(plan.changes))
    terminal.say(
        f"{count(len(plan.changes), 'change')}, {len(plan.left_out)} left out; nothing was sent. "
        f"To read: {written.documents[-1]}"
    )
    terminal.say(f"next: access-review remediate approve {out} --by NAME --email E")
    terminal.result(
        str(out),
        {
            "file": out,
            "plan_id": plan.plan_id,
            "changes": len(plan.changes),
            "left_out": len(plan.left_out),
            "documents": written.documents,
        }
        | by_hand
        | _decisions(found),
    )


def _decisions(found: DecisionSum | None) -> dict[str, Any]:
    """Return the sum of a review's decisions, for a script."""
    if found is None:
        return {}
    return {"decisions": {"decided": found.decided, "terms": [list(term) for term in found.terms]}}


def _table(changes: Sequence[Change]) -> str:
    from pipeline.remediation.document import describe

    return align(
        ("source", "user name", "change", "reason"),
        _by_name((c.source, c.user_name or c.account_id, describe(c), c.reason) for c in changes),
    )


def _by_name(rows: Iterable[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """Sort the lines of a list as people look for them, by source and user name; plans are in the order of ids."""
    return sorted(rows, key=lambda row: [str(cell or "").lower() for cell in row])


def _show_status(terminal: Terminal, found: PlanStatus, file: Path) -> Counter[str]:
    """Print the state of each change; return how many there are of each."""
    table = []
    for change in found.plan.changes:
        entry = found.entries.get(change.change_id)
        detail = entry.detail if entry else None
        row = (change.source, change.user_name, change.account_id, change.action, found.state(change), detail)
        table.append(row)
    counts = Counter(found.state(change) for change in found.plan.changes)
    terminal.result(
        align(("source", "user name", "account", "action", "state", "why"), table),
        {
            "file": file,
            "plan_id": found.plan.plan_id,
            "approved": found.plan.approval is not None,
            "approvals": [
                {
                    "by": approval.by,
                    "email": approval.email,
                    "approved_at": approval.at,
                    "signed": approval.signature is not None,
                    "current": approval.plan_id == found.plan.plan_id,
                }
                for approval in found.plan.approvals
            ],
            "counts": dict(counts),
            "changes": [
                dict(zip(("source", "user_name", "account_id", "action", "state", "detail"), row, strict=True))
                for row in table
            ],
        },
    )
    terminal.say(", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no changes")
    return counts


def _confirm(number: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("cannot ask for confirmation without a terminal", where="", hint="add --yes to confirm")
    if not typer.confirm(
        "Make this change in Sisense?" if number == 1 else f"Make these {count(number, 'change')} in Sisense?",
        err=True,
    ):
        raise GateError("not confirmed", where="", hint="nothing was sent; run it again and answer y")
