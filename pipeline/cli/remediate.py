"""``remediate``: a plan of changes, its approval, its application, the proof, and the way back."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align, email_address, required_name
from pipeline.errors import ConfigurationError, GateError, SourceError, UsageError
from pipeline.reporting.text import count

if TYPE_CHECKING:
    from pipeline.remediation.journal import Journal, JournalEntry
    from pipeline.remediation.plan import Change, Plan
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
        str | None, typer.Option(metavar="NAME", help="Remove or reduce what this signed-off review decided.")
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
    """Choose what to change, and write a plan; nothing is sent."""
    from pipeline.remediation import planning
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    if stale_days is None and not rule and campaign is None:
        raise UsageError(
            "nothing says which accounts",
            where="remediate plan",
            hint="give --stale-days N, --rule RULE or --campaign NAME",
        )
    settings = terminal.settings()
    selection = planning.Selection(
        stale_days, tuple(rule or ()), campaign, tuple(include or ()), max_share, max_age_hours
    )
    with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
        made = planning.make(connection, selection, datetime.now(UTC))
    _write_plan(terminal, made, out)


def approve(context: typer.Context, file: PlanFile, by: By, email: Email) -> None:
    """Approve a plan as it is now.

    The approval is signed if a signing key is configured.
    """
    from pipeline.evidence.signature import signing_key
    from pipeline.remediation.plan import Approval, load, save

    terminal: Terminal = context.obj
    approved = load(file)
    key = signing_key(os.environ)
    approval = Approval(by, email, datetime.now(UTC).isoformat(timespec="seconds"), approved.plan_id)
    if key is not None:
        approval = approval.signed(key)
    save(replace(approved, approvals=(*approved.approvals, approval)), file)
    terminal.result(
        f"approved {approved.plan_id} ({count(len(approved.changes), 'change')}) by {by} <{email}>, "
        + ("signed" if key else "not signed"),
        {
            "plan_id": approved.plan_id,
            "changes": len(approved.changes),
            "by": by,
            "email": email,
            "signed": bool(key),
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

    Accounts are changed one at a time. After an interruption, run it again: no change is repeated.
    """
    from pipeline.evidence.signature import signing_key
    from pipeline.inputs import policy_files
    from pipeline.remediation import applying, journal, record
    from pipeline.remediation.plan import load
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    settings = terminal.settings()
    wanted = load(file)
    operator = applying.Operator(by, email, single_operator)
    approval = applying.require_approval(wanted, operator)
    applying.require_fresh(wanted, datetime.now(UTC))
    key = signing_key(os.environ)
    if key is not None and not approval.is_signed_with(key):
        raise GateError(
            "the approval does not bear the signature of the configured key",
            where=str(file),
            hint="approve the plan again with ACCESS_REVIEW_SIGNING_KEY_FILE set",
        )
    sources = {
        name: (settings.source(name), settings.source(name).credentials(os.environ))
        for name in sorted({change.source for change in wanted.changes})
    }
    terminal.say(_table(wanted.changes))
    if not yes and wanted.changes:
        _ask(len(wanted.changes))

    def locate(plan: Path) -> Path:
        with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
            return record.locate(connection, wanted.plan_id, plan)

    with journal.opened(file, wanted.plan_id, settings.warehouse.database, locate=locate) as opened:
        _say_where_it_stands(terminal, wanted, file, opened)
        with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
            record.announce(connection, wanted, journal.plan_path(opened.path))
        terminal.stage("apply")
        try:
            with terminal.progress():
                applying.apply(
                    wanted,
                    opened,
                    operator,
                    sources,
                    policy_files(settings),
                    lambda done: terminal.advance("accounts", done, len(wanted.changes)),
                )
        except BaseException:
            terminal.say(
                f"begun: {len(opened.entries)} of {count(len(wanted.changes), 'change')}, as {opened.path} says; "
                "run the same command again to go on: what was made is not repeated"
            )
            raise
        finally:
            if opened.entries:
                with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
                    record.keep(connection, wanted, opened.entries)
        entries, kept_in = dict(opened.entries), opened.path
    counts = _show(terminal, wanted, file, entries)
    if counts["failed"] or counts["unclear"] or counts["open"]:
        raise SourceError(
            f"{count(counts['failed'], 'change')} failed, {counts['unclear']} unclear, {counts['open']} not tried",
            where=str(kept_in),
            hint="read why above, then run the same command again: what was made is not repeated",
        )


def verify(context: typer.Context) -> None:
    """Extract again and check every change that was applied."""
    from pipeline.evidence.signature import signing_key
    from pipeline.remediation import record
    from pipeline.reporting import remediation
    from pipeline.warehouse import database

    terminal: Terminal = context.obj
    settings = terminal.settings()
    key = signing_key(os.environ)
    with terminal.progress():
        # before the extract: what is brought in here was done before it
        with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
            for missing in record.catch_up(connection):
                terminal.note(missing)
            applied = record.applied(connection)
        if not applied:
            terminal.say("no change has been applied, so there is nothing to verify: no extract was made")
            terminal.result("nothing to verify", {"verdicts": {}, "folder": None, "report_folder": None, "files": []})
            return
        project = terminal.project()
        project.build(project.extract().snapshot_id)
        with database.writing(settings.warehouse.database, notify=terminal.note) as connection:
            verdicts = record.verify(connection)
        folder = project.report().folder
        with database.reading(settings.warehouse.database, notify=terminal.note) as connection:
            files = remediation.write(connection, settings.reports.directory, rests_on=folder, key=key)
    counts = {name: verdicts[name] for name in ("removed_verified", "still_present", "reappeared", "not_verifiable")}
    for name, changes in counts.items():
        terminal.say(f"{name:<17} {changes}")
    terminal.result(
        "\n".join(map(str, files)),
        {"verdicts": counts, "folder": files[0].parent, "report_folder": folder, "files": files},
    )
    undone = counts["still_present"] + counts["reappeared"]
    if sum(verdicts.values()) != counts["removed_verified"]:
        raise GateError(
            f"{count(undone, 'change')} not there, {counts['not_verifiable']} not verifiable",
            where=str(files[0]),
            hint="look at these accounts in Sisense, then plan again",
        )


def undo(
    context: typer.Context,
    file: PlanFile = DEFAULT_PLAN,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File for the new plan.")] = Path(
        "undo-plan.json"
    ),
) -> None:
    """Write a plan that reverses what a plan has changed.

    Approve and apply it as any other plan.
    """
    from pipeline.remediation import journal, planning
    from pipeline.remediation.plan import load

    terminal: Terminal = context.obj
    done = load(file)
    made = planning.reverse(done, journal.read(_applied_copy(terminal, done, file), done.plan_id), datetime.now(UTC))
    _write_plan(terminal, made, out)


def status(context: typer.Context, file: PlanFile = DEFAULT_PLAN) -> None:
    """Show who approved a plan, and the state of each change."""
    from pipeline.remediation import journal
    from pipeline.remediation.plan import load

    terminal: Terminal = context.obj
    wanted = load(file)
    approval = wanted.approval
    terminal.say(f"plan      {wanted.plan_id}")
    terminal.say("approved  " + (f"by {approval.by} <{approval.email}>, {approval.at}" if approval else "no"))
    _show(terminal, wanted, file, journal.read(_applied_copy(terminal, wanted, file), wanted.plan_id))


def _applied_copy(terminal: Terminal, wanted: Plan, file: Path) -> Path:
    """Return the copy of a plan that was applied, as far as it can be known without a configuration."""
    from pipeline.remediation import journal, record
    from pipeline.warehouse import database

    if journal.journal_path(file).exists():
        return file
    try:
        path = terminal.settings().warehouse.database
    except ConfigurationError:
        return file
    if not path.exists():
        return file
    with database.reading(path, notify=terminal.note) as connection:
        return record.locate(connection, wanted.plan_id, file)


def _say_where_it_stands(terminal: Terminal, wanted: Plan, file: Path, opened: Journal) -> None:
    """Say if the plan, or a copy of it, has been applied before."""
    from pipeline.remediation import journal

    if opened.path != journal.journal_path(file):
        terminal.note(f"a copy of this plan has been applied before: its journal is {opened.path}")
    states = [entry.state for entry in opened.entries.values()]
    if wanted.changes and states.count("applied") == len(wanted.changes):
        terminal.note("the plan has been applied already: every change of it was made then, and nothing is sent now")


def _write_plan(terminal: Terminal, made: Plan, out: Path) -> None:
    from pipeline.remediation import document
    from pipeline.remediation.journal import journal_path
    from pipeline.remediation.plan import save
    from pipeline.remediation.planning import MAY_BE_NAMED, decision_sum

    if made.left_out:
        terminal.say("left out:")
        terminal.say(
            align(
                ("source", "user name", "what", "why"),
                [(row.source, row.user_name or row.account_id, row.what, row.reason) for row in made.left_out],
            )
        )
        if any(row.reason in MAY_BE_NAMED for row in made.left_out):
            terminal.say("a service or emergency account changes only if it is named with --include")
    found = decision_sum(made)
    if found is not None:
        terminal.say(f"review {found.campaign}: {found.text}")
    if not made.changes:
        nothing = {"file": None, "plan_id": None, "changes": 0, "left_out": len(made.left_out)}
        terminal.result("nothing to change", nothing | _decisions(found))
        return
    if journal_path(out).exists():
        raise UsageError(
            "a plan of that name has been applied, and its journal is the record of it",
            where=str(out),
            hint="name another file with --out",
        )
    save(made, out)
    files, warnings = document.write(made, out)
    for warning in warnings:
        terminal.note(warning)
    terminal.say(_table(made.changes))
    terminal.say(
        f"{count(len(made.changes), 'change')}, {len(made.left_out)} left out; nothing was sent. To read: {files[-1]}"
    )
    terminal.say(f"next: access-review remediate approve {out} --by NAME --email E")
    terminal.result(
        str(out),
        {
            "file": out,
            "plan_id": made.plan_id,
            "changes": len(made.changes),
            "left_out": len(made.left_out),
            "documents": files,
        }
        | _decisions(found),
    )


def _decisions(found: DecisionSum | None) -> dict[str, Any]:
    """Return what a review's decisions add up to, for a script."""
    if found is None:
        return {}
    return {"decisions": {"decided": found.decided, "terms": [list(term) for term in found.terms]}}


def _table(changes: Sequence[Change]) -> str:
    from pipeline.remediation.document import describe

    return align(
        ("source", "user name", "change", "reason"),
        [(c.source, c.user_name or c.account_id, describe(c), c.reason) for c in changes],
    )


def _show(terminal: Terminal, wanted: Plan, file: Path, entries: dict[str, JournalEntry]) -> Counter[str]:
    """Print what became of each change; return how many there are of each state."""
    table = []
    counts: Counter[str] = Counter()
    for change in wanted.changes:
        entry = entries.get(change.change_id)
        state = "open" if entry is None else "unclear" if entry.state == "sending" else entry.state
        counts[state] += 1
        table.append(
            (change.source, change.user_name, change.account_id, change.action, state, entry and entry.detail)
        )
    header = ("source", "user name", "account", "action", "state", "why")
    terminal.result(
        align(header, table),
        {
            "file": file,
            "plan_id": wanted.plan_id,
            "approved": wanted.approval is not None,
            "approvals": [
                {
                    "by": approval.by,
                    "email": approval.email,
                    "approved_at": approval.at,
                    "signed": approval.signature is not None,
                    "current": approval.plan_id == wanted.plan_id,
                }
                for approval in wanted.approvals
            ],
            "counts": dict(counts),
            "changes": [
                dict(zip(("source", "user_name", "account_id", "action", "state", "detail"), row, strict=True))
                for row in table
            ],
        },
    )
    terminal.say(", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "no changes")
    return counts


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here", where="remediate apply", hint="give --yes if it is meant")
    if not typer.confirm(
        "Make this change in Sisense?" if number == 1 else f"Make these {count(number, 'change')} in Sisense?",
        err=True,
    ):
        raise GateError(
            "it was not confirmed", where="remediate apply", hint="nothing was sent; run it again and answer y"
        )
