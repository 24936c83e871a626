"""``users``: single accounts, with roles and groups by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.logs import LogFormat
from pipeline.cli.terminal import Terminal, align, confirm_by_typing, email_address
from pipeline.errors import SourceError, UsageError
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.remediation.accounts import AccountResult, DesiredAccount
    from pipeline.remediation.direct_changes import AccountService
    from pipeline.remediation.journal import CommandJournal
    from pipeline.settings import Secret

__all__ = ["SourceName", "journal_shown", "register"]

_PASSWORD = "ACCESS_REVIEW_NEW_USER_PASSWORD"  # noqa: S105 - the name of a variable

_commands = Commands(
    name="users",
    help="Look up, create, change, deactivate or delete single accounts.",
    no_args_is_help=True,
)


class PasswordFrom(StrEnum):
    """The origin of a new account's password."""

    none = "none"
    environment = "environment"
    generated = "generated"


UserName = Annotated[str, typer.Argument(metavar="USER", help="User name or e-mail address.")]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="The source (default: the only one).")
]
Role = Annotated[str | None, typer.Option(metavar="NAME", help="Role, as 'Data Designer' or by its API name.")]
Email = Annotated[str | None, typer.Option(metavar="ADDRESS", help="E-mail address.", callback=email_address)]
FirstName = Annotated[str | None, typer.Option(metavar="NAME", help="First name.")]
LastName = Annotated[str | None, typer.Option(metavar="NAME", help="Last name.")]
ByScim = Annotated[
    bool, typer.Option("--scim", help="Send the account over SCIM; its role and groups are still set over REST.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _commands.command(epilog="Example: access-review users get ann@example.com")(get)
    _commands.command(
        epilog="Example: access-review users create --email ann@example.com --role Viewer --group 'Sales Team'"
    )(create)
    _commands.command(epilog="Example: access-review users update ann@example.com --role Designer")(update)
    _commands.command(epilog="Example: access-review users deactivate ann@example.com")(deactivate)
    _commands.command(epilog="Example: access-review users delete ann@example.com --permanently")(delete)
    app.add_typer(_commands)


def get(context: typer.Context, user: UserName, source: SourceName = None) -> None:
    """Show one account as it is in Sisense now."""
    terminal: Terminal = context.obj
    found = _service(terminal, source, "users get").get(user)
    shown = {key: "; ".join(value) if isinstance(value, list) else value for key, value in found.items()}
    terminal.result("\n".join(f"{key:<14} {'' if value is None else value}" for key, value in shown.items()), found)


def create(
    context: typer.Context,
    user_name: Annotated[
        str | None, typer.Option(metavar="USER", help="User name (default: the e-mail address).")
    ] = None,
    email: Email = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    role: Role = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME", help="Group of the account (repeatable).")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Create the accounts of a CSV file: user_name, email, first_name, last_name, role, groups.",
        ),
    ] = None,
    password: Annotated[
        PasswordFrom,
        typer.Option(help=f"How to set a password: not at all, from ${_PASSWORD}, or a generated one."),
    ] = PasswordFrom.none,
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print generated passwords; otherwise they are never shown.")
    ] = False,
    source: SourceName = None,
    scim: ByScim = False,
) -> None:
    """Create accounts, except those that exist already.

    Without a password, people log in by single sign-on. Unknown names of roles and groups fail before anything is
    sent.
    """
    from pipeline.remediation.accounts import DesiredAccount
    from pipeline.remediation.direct_changes import passwords
    from pipeline.remediation.joiners import read_joiners

    terminal: Terminal = context.obj
    _require_one(file, email)
    _require_a_reader(terminal, show_password)
    if scim and password is not PasswordFrom.none:
        raise UsageError(
            "accounts created over SCIM log in by single sign-on",
            where="",
            hint="remove --password or --scim",
        )
    if file is not None:
        wanted = read_joiners(file)
    else:
        wanted = [DesiredAccount(user_name or email or "", email, first_name, last_name, role, tuple(group or ()))]

    def created(result: AccountResult, secret: Secret | None) -> None:
        if password is PasswordFrom.generated and show_password and result.account_id is not None and secret:
            sys.stderr.write(f"password of {result.user_name}: {secret.reveal()}\n")

    service = _service(terminal, source, "users create", by_scim=scim)
    with journal_shown(terminal, service.journal):
        results = service.create(wanted, passwords(password.value), created)
    _show(terminal, results)


def _require_a_reader(terminal: Terminal, show_password: bool) -> None:
    if show_password and terminal.log_format is LogFormat.json:
        raise UsageError(
            "passwords are not written to a log",
            where="",
            hint="remove --show-password or --log-format json",
        )


def update(
    context: typer.Context,
    user: UserName,
    email: Email = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    role: Role = None,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="Replace all groups of the account with these (repeatable)."),
    ] = None,
    add_group: Annotated[
        list[str] | None,
        typer.Option("--add-group", metavar="NAME", help="Add the account to this group (repeatable)."),
    ] = None,
    remove_group: Annotated[
        list[str] | None,
        typer.Option("--remove-group", metavar="NAME", help="Remove the account from this group (repeatable)."),
    ] = None,
    source: SourceName = None,
    scim: ByScim = False,
) -> None:
    """Change an account; fields without an option stay as they are.

    --group replaces all groups. To change some of them, use --add-group and --remove-group.
    """
    wanted = _changes(user, (email, first_name, last_name, role), group, add_group, remove_group)
    service = _service(context.obj, source, "users update", by_scim=scim)
    with journal_shown(context.obj, service.journal):
        result = service.change(wanted)
    _show(context.obj, [result])


def deactivate(context: typer.Context, user: UserName, source: SourceName = None, scim: ByScim = False) -> None:
    """Deactivate an account; its role and groups stay."""
    service = _service(context.obj, source, "users deactivate", by_scim=scim)
    with journal_shown(context.obj, service.journal):
        result = service.deactivate(user)
    _show(context.obj, [result])


def delete(
    context: typer.Context,
    user: UserName,
    permanently: Annotated[
        bool, typer.Option("--permanently", help="Required, because deletion cannot be undone.")
    ] = False,
    source: SourceName = None,
    scim: ByScim = False,
) -> None:
    """Delete an account permanently.

    You are asked to type the user name again.
    """
    if not permanently:
        raise UsageError(
            "deletion cannot be undone",
            where="",
            hint="use 'users deactivate', or add --permanently",
        )
    confirm_by_typing(user, "account")
    service = _service(context.obj, source, "users delete", by_scim=scim)
    with journal_shown(context.obj, service.journal):
        result = service.delete(user)
    _show(context.obj, [result])


def _service(terminal: Terminal, source: str | None, command: str, *, by_scim: bool = False) -> AccountService:
    from pipeline.remediation.direct_changes import AccountService

    return AccountService(terminal.settings(), source, command, by_scim=by_scim)


@contextmanager
def journal_shown(terminal: Terminal, journal: CommandJournal) -> Iterator[None]:
    """Run the block, then print the path of the journal if anything was sent."""
    try:
        yield
    finally:
        if journal.is_used:
            terminal.say(f"journal   {journal.path}")


def _require_one(file: Path | None, email: str | None) -> None:
    if (file is None) == (email is None):
        raise UsageError(
            "exactly one of --email and --file is required",
            where="",
            hint="give --email for one account, or --file for several",
        )


def _changes(
    user: str,
    fields: tuple[str | None, str | None, str | None, str | None],
    groups: list[str] | None,
    added: list[str] | None,
    removed: list[str] | None,
) -> DesiredAccount:
    """Return the requested changes; ``fields`` are the e-mail address, first name, last name and role.

    Raises:
        UsageError: nothing changes, or the options for groups contradict each other.
    """
    from pipeline.remediation.accounts import DesiredAccount

    if groups and (added or removed):
        raise UsageError(
            "--group replaces all groups, so it cannot be combined with --add-group or --remove-group",
            where="",
            hint="use --group for the whole list, or --add-group and --remove-group for changes to it",
        )
    both = {name.strip().lower() for name in added or ()} & {name.strip().lower() for name in removed or ()}
    if both:
        raise UsageError(
            f"'{min(both)}' is both added and removed",
            where="",
            hint="name each group in one option only",
        )
    wanted = DesiredAccount(
        user,
        *fields,
        tuple(groups) if groups else None,
        add_groups=tuple(added or ()),
        remove_groups=tuple(removed or ()),
    )
    if wanted == DesiredAccount(user):
        raise UsageError("there is nothing to change", where="", hint="add --role, --add-group or another field")
    return wanted


def _show(terminal: Terminal, results: Sequence[AccountResult]) -> None:
    header = ("user name", "result", "account", "detail")
    terminal.result(
        align(header, [(each.user_name, each.state, each.account_id, each.detail) for each in results]),
        [
            {
                "user_name": each.user_name,
                "state": each.state,
                "account_id": each.account_id,
                "detail": each.detail,
            }
            for each in results
        ],
    )
    bad = [each for each in results if not each.is_good]
    if bad:
        raise SourceError(
            f"{len(bad)} of {counted(len(results), 'account')} {'is' if len(bad) == 1 else 'are'} not as requested",
            where=", ".join(each.user_name for each in bad[:5]),
            hint="'access-review users get' shows an account as it is now; run the command again later",
        )
