"""``users``: one account at a time, with roles and groups by their names."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align, confirm_by_typing, email_address
from pipeline.errors import MissingSecretError, SourceError, UsageError
from pipeline.settings import Secret, SourceSettings, read_secret
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.remediation.accounts import AccountResult
    from pipeline.remediation.journal import CommandJournal
    from pipeline.sources.scim.provisioning import Provisioner
    from pipeline.sources.sisense.writing import Writer

__all__ = ["SourceName", "by_scim_endpoint", "journalled", "register"]

_PASSWORD = "ACCESS_REVIEW_NEW_USER_PASSWORD"  # noqa: S105 - the name of a variable

_commands = Commands(
    name="users",
    help="Look up, create, change, deactivate or delete single accounts.",
    no_args_is_help=True,
)


class PasswordFrom(StrEnum):
    """Where the password of a new account comes from."""

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
    bool, typer.Option("--scim", help="Send the account through the SCIM endpoint; role and groups still go by REST.")
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
    from pipeline.remediation import accounts

    terminal: Terminal = context.obj
    found = accounts.get(_connect(terminal, source), user)
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
    from pipeline.remediation import accounts
    from pipeline.remediation.joiners import read_joiners

    terminal: Terminal = context.obj
    if (file is None) == (email is None):
        raise UsageError("give one account or a file of them", where="users create", hint="give --email or --file")
    if scim and password is not PasswordFrom.none:
        raise UsageError(
            "whoever is provisioned through SCIM logs in by single sign-on",
            where="users create",
            hint="leave out --password, or --scim",
        )
    if file is not None:
        wanted = read_joiners(file)
    else:
        wanted = [
            accounts.DesiredAccount(user_name or email or "", email, first_name, last_name, role, tuple(group or ()))
        ]

    def made(outcome: AccountResult, secret: Secret | None) -> None:
        if password is not PasswordFrom.generated or not show_password or outcome.account_id is None:
            return
        if secret is not None:
            sys.stderr.write(f"password of {outcome.user_name}: {secret.reveal()}\n")

    connect = _connect(terminal, source, by_scim=scim)
    with journalled(terminal, "users create", source) as journal:
        outcomes = accounts.create(connect, journal, wanted, _password(password), made)
    _show(terminal, outcomes)


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
    """Change an account; what is not given stays.

    --group replaces all groups. To change some of them, use --add-group and --remove-group.
    """
    from pipeline.inputs import policy_files
    from pipeline.remediation import accounts

    added, removed = tuple(add_group or ()), tuple(remove_group or ())
    if group and (added or removed):
        raise UsageError(
            "--group replaces all groups, so it cannot be combined with --add-group or --remove-group",
            where="users update",
            hint="give either --group for every group, or --add-group and --remove-group for the changes",
        )
    both = {name.strip().lower() for name in added} & {name.strip().lower() for name in removed}
    if both:
        raise UsageError(
            f"'{min(both)}' is to be added and removed",
            where="users update",
            hint="name each group in one option only",
        )
    groups = tuple(group) if group else None
    wanted = accounts.DesiredAccount(
        user, email, first_name, last_name, role, groups, add_groups=added, remove_groups=removed
    )
    if wanted == accounts.DesiredAccount(user):
        raise UsageError(
            "nothing is to be changed", where="users update", hint="give --role, --add-group or another field"
        )
    connect = _connect(context.obj, source, by_scim=scim)
    with journalled(context.obj, "users update", source) as journal:
        outcome = accounts.change(connect, journal, policy_files(context.obj.settings()), wanted)
    _show(context.obj, [outcome])


def deactivate(context: typer.Context, user: UserName, source: SourceName = None, scim: ByScim = False) -> None:
    """Deactivate an account; its role and groups stay."""
    from pipeline.inputs import policy_files
    from pipeline.remediation import accounts

    connect = _connect(context.obj, source, by_scim=scim)
    with journalled(context.obj, "users deactivate", source) as journal:
        outcome = accounts.change(
            connect, journal, policy_files(context.obj.settings()), accounts.DesiredAccount(user, active=False)
        )
    _show(context.obj, [outcome])


def delete(
    context: typer.Context,
    user: UserName,
    permanently: Annotated[
        bool, typer.Option("--permanently", help="Required, because it cannot be undone; deactivating can.")
    ] = False,
    source: SourceName = None,
    scim: ByScim = False,
) -> None:
    """Delete an account for good.

    You are asked to type the user name again.
    """
    from pipeline.inputs import policy_files
    from pipeline.remediation import accounts

    if not permanently:
        raise UsageError(
            "deleting cannot be undone",
            where="users delete",
            hint="use 'users deactivate', or add --permanently if it is really meant",
        )
    confirm_by_typing(user, "account", where="users delete")
    connect = _connect(context.obj, source, by_scim=scim)
    with journalled(context.obj, "users delete", source) as journal:
        outcome = accounts.delete(connect, journal, policy_files(context.obj.settings()), user)
    _show(context.obj, [outcome])


def _connect(
    terminal: Terminal, name: str | None, *, by_scim: bool = False
) -> Callable[[], AbstractAsyncContextManager[Writer]]:
    from pipeline.sources.sisense.writing import connected

    if by_scim:
        return by_scim_endpoint(terminal, name)
    source = _source(terminal, name)
    credentials = source.credentials(os.environ)
    return lambda: connected(source, credentials)


def by_scim_endpoint(terminal: Terminal, name: str | None) -> Callable[[], AbstractAsyncContextManager[Provisioner]]:
    """Return what opens the SCIM endpoint beside a source, by name or the only one, for changes.

    Raises:
        UsageError: no such source, or no such endpoint. MissingSecretError: it lacks a secret.
    """
    from pipeline.sources.scim.provisioning import connected_by_scim

    source = _source(terminal, name)
    credentials = source.credentials(os.environ)
    token = source.scim_token(os.environ)
    if token is None or source.kind == "scim":
        raise UsageError(
            f"source '{source.name}' has no SCIM endpoint beside it",
            where=str(terminal.settings().path),
            hint="add scim_url to a source of kind sisense",
        )
    return lambda: connected_by_scim(source, credentials, token)


@contextmanager
def journalled(terminal: Terminal, command: str, source: str | None) -> Iterator[CommandJournal]:
    """Give a command its journal, beside the database, and say where it is if anything was sent."""
    from pipeline.remediation.journal import CommandJournal, journal_path

    path = journal_path(terminal.settings().warehouse.database)
    journal = CommandJournal(path, command, _source(terminal, source).name)
    try:
        yield journal
    finally:
        if journal.is_used:
            terminal.say(f"journal   {path}")


def _source(terminal: Terminal, name: str | None) -> SourceSettings:
    settings = terminal.settings()
    known = [source for source in settings.sources if source.kind == "sisense"]
    if name is None and len(known) != 1:
        raise UsageError(
            f"{len(known)} sources could be meant", where="--source", hint="name one of [sources.*] with --source"
        )
    return settings.source(name) if name else known[0]


def _password(chosen: PasswordFrom) -> Callable[[], Secret | None]:
    if chosen is PasswordFrom.none:
        return lambda: None
    if chosen is PasswordFrom.environment:
        given = read_secret(os.environ, _PASSWORD)
        if given is None:
            raise MissingSecretError(
                "there is no password for the new account", where="environment", hint=f"set {_PASSWORD}"
            )
        return lambda: given

    return lambda: Secret(secrets.token_urlsafe(18))


def _show(terminal: Terminal, outcomes: Sequence[AccountResult]) -> None:
    header = ("user name", "result", "account", "detail")
    terminal.result(
        align(header, [(o.user_name, o.state, o.account_id, o.detail) for o in outcomes]),
        [
            {"user_name": o.user_name, "state": o.state, "account_id": o.account_id, "detail": o.detail}
            for o in outcomes
        ],
    )
    bad = [outcome for outcome in outcomes if not outcome.is_good]
    if bad:
        raise SourceError(
            f"{len(bad)} of {counted(len(outcomes), 'account')} {'is' if len(bad) == 1 else 'are'} not as wanted",
            where=", ".join(outcome.user_name for outcome in bad[:5]),
            hint="'access-review users get' shows what is there now; run the command again when the server is well",
        )
