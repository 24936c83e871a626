"""``scim``: check SCIM endpoints, print the values for a provider, compare with Sisense, and change groups."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align, confirm_by_typing
from pipeline.cli.users import SourceName, journal_shown
from pipeline.errors import AccessReviewError, ConfigurationError, SourceError, UsageError

if TYPE_CHECKING:
    from pipeline.remediation.direct_changes import GroupService
    from pipeline.remediation.groups import GroupResult
    from pipeline.settings import SourceSettings

__all__ = ["register"]

_group = Commands(help="Check SCIM, compare it with Sisense, manage its groups.", no_args_is_help=True)
_pushed = Commands(help="Create, update and delete Sisense groups over SCIM.", no_args_is_help=True)

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.command("check", epilog="Example: access-review scim check --print-setup")(check)
    _group.command("diff", epilog="Example: access-review scim diff")(diff)
    _group.command("sync", epilog="The same as 'scim diff'. Example: access-review scim sync --report")(sync)
    _pushed.command("create", epilog="Example: access-review scim group create Sales --member ann@example.com")(
        create_group
    )
    _pushed.command("update", epilog="Example: access-review scim group update Sales --add bo@example.com")(
        update_group
    )
    _pushed.command("delete", epilog="Example: access-review scim group delete Sales --permanently")(delete_group)
    _group.add_typer(_pushed, name="group")
    app.add_typer(_group, name="scim")


def check(
    context: typer.Context,
    print_setup: Annotated[
        bool, typer.Option("--print-setup", help="Only print the values to paste into Okta or Entra ID.")
    ] = False,
) -> None:
    """Check every configured SCIM endpoint.

    Shows whether it can be reached, how many users and groups it has, and what it supports.
    """
    from pipeline import preflight

    terminal: Terminal = context.obj
    settings = terminal.settings()
    if print_setup:
        shown = tuple(source for source in settings.sources if not source.is_directory)
    else:
        shown = tuple(source for source in settings.sources if source.kind == "scim" or source.scim_url)
    if not shown:
        raise ConfigurationError(
            "no source has a SCIM endpoint",
            where=str(settings.path),
            hint='add scim_url = "https://bi.example.com/api/scim/v2" to a source, or a source of kind scim',
        )
    if print_setup:
        terminal.result(
            "\n\n".join(_setup(source) for source in shown),
            [{"source": source.name, "base_url": _base_url(source)} for source in shown],
        )
        return
    results: list[dict[str, str]] = []
    lines: list[str] = []
    failure: AccessReviewError | None = None
    for source in shown:
        try:
            token = source.scim_token(os.environ)
            detail = preflight.scim_in_words(source, token) if token else ""
            results.append({"source": source.name, "result": "ok", "detail": detail})
            lines.append(f"ok      {source.name}: {detail}")
        except AccessReviewError as error:
            failure = failure or error
            results.append({"source": source.name, "result": "failed", "detail": str(error), "hint": error.hint})
            lines.append(f"failed  {source.name}: {error}")
    terminal.result("\n".join(lines), results)
    if failure is not None:
        raise failure


def sync(
    context: typer.Context,
    report: Annotated[  # noqa: ARG001 - reporting is all that sync does
        bool, typer.Option("--report", help="List every difference (always on).")
    ] = False,
) -> None:
    """List where SCIM and Sisense differ; nothing is changed."""
    diff(context)


def diff(context: typer.Context) -> None:
    """List where SCIM and Sisense differ in the current build.

    Compares accounts, status, e-mail addresses and groups. Also lists accounts from SCIM without a role. Nothing is
    changed.
    """
    from pipeline.remediation.direct_changes import scim_differences

    terminal: Terminal = context.obj
    found = scim_differences(terminal.settings().warehouse.database, terminal.note)
    terminal.result(
        align(found.header, found.rows), [dict(zip(found.header, row, strict=True)) for row in found.rows]
    )
    counts = Counter(str(row[found.header.index("difference")]) for row in found.rows)
    terminal.say(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no differences")


def create_group(
    context: typer.Context,
    group: GroupName,
    member: Annotated[
        list[str] | None, typer.Option(metavar="USER", help="User name of a member (repeatable).")
    ] = None,
    source: SourceName = None,
) -> None:
    """Create a group, unless it exists already."""
    service = _service(context.obj, source, "scim group create")
    with journal_shown(context.obj, service.journal):
        outcome = service.create(group, member or ())
    _show(context.obj, outcome)


def update_group(
    context: typer.Context,
    group: GroupName,
    add: Annotated[
        list[str] | None, typer.Option(metavar="USER", help="User name of a new member (repeatable).")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="USER", help="User name of a member to remove (repeatable).")
    ] = None,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help="The new name.")] = None,
    source: SourceName = None,
) -> None:
    """Add or remove members of a group, or rename it."""
    if not (add or remove or rename):
        raise UsageError("there is nothing to change", where="", hint="add --add, --remove or --rename")
    service = _service(context.obj, source, "scim group update")
    with journal_shown(context.obj, service.journal):
        outcome = service.change(group, rename=rename, add=add or (), remove=remove or ())
    _show(context.obj, outcome)


def delete_group(
    context: typer.Context,
    group: GroupName,
    permanently: Annotated[
        bool, typer.Option("--permanently", help="Required, because deletion cannot be undone.")
    ] = False,
    source: SourceName = None,
) -> None:
    """Delete a group permanently; its members keep their accounts.

    You are asked to type the name again.
    """
    if not permanently:
        raise UsageError("deletion cannot be undone", where="", hint="add --permanently to delete it")
    confirm_by_typing(group, "group")
    service = _service(context.obj, source, "scim group delete")
    with journal_shown(context.obj, service.journal):
        outcome = service.delete(group)
    _show(context.obj, outcome)


def _service(terminal: Terminal, source: str | None, command: str) -> GroupService:
    from pipeline.remediation.direct_changes import GroupService

    return GroupService(terminal.settings(), source, command)


def _show(terminal: Terminal, outcome: GroupResult) -> None:
    terminal.result(
        align(("group", "result", "detail"), [(outcome.group, outcome.state, outcome.detail)]),
        {"group": outcome.group, "state": outcome.state, "detail": outcome.detail},
    )
    if not outcome.is_good:
        raise SourceError(
            f"the group is not as requested: {outcome.detail}",
            where=outcome.group,
            hint="run the command again later",
        )


def _base_url(source: SourceSettings) -> str:
    if source.kind == "scim":
        return source.url
    return source.scim_url or f"{source.url}/api/scim/v2"


def _setup(source: SourceSettings) -> str:
    variable = source.environment_prefix + ("_TOKEN" if source.kind == "scim" else "_SCIM_TOKEN")
    return f"""source {source.name}
SCIM connector base URL (Okta), Tenant URL (Entra ID): {_base_url(source)}
Unique identifier field for users: userName
Authentication: HTTP header, bearer token
Token: create it under Admin > Security; for this tool, set {variable} or {variable}_FILE
Provisioning to the app: create users, update user attributes, deactivate users
Group push: pushed groups become Sisense groups. It sets no roles: give each new account its role in Sisense."""
