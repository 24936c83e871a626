"""Changes without a plan: single accounts and groups of one Sisense, for any caller. Nothing here prints."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import MissingSecretError, UsageError, WarehouseError
from pipeline.inputs import policy_files
from pipeline.remediation import accounts, groups
from pipeline.remediation.accounts import AccountResult, DesiredAccount
from pipeline.remediation.groups import GroupResult
from pipeline.remediation.journal import CommandJournal, journal_path
from pipeline.settings import Secret, Settings, SourceSettings, read_secret
from pipeline.sources.accounts import Writer
from pipeline.sources.scim.provisioning import Provisioner, connected_by_scim
from pipeline.sources.sisense.writing import connected
from pipeline.warehouse import adhoc, database, saved

__all__ = [
    "PASSWORD_VARIABLE",
    "AccountResult",
    "AccountService",
    "DesiredAccount",
    "GroupResult",
    "GroupService",
    "ScimDifferences",
    "passwords",
    "scim_differences",
]

#: The environment variable with the password of new accounts.
PASSWORD_VARIABLE = "ACCESS_REVIEW_NEW_USER_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class ScimDifferences:
    """The differences between SCIM and Sisense in the current build: column names, and rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class AccountService:
    """Reads and changes single accounts of one source.

    ``command`` names the caller in the journal. ``by_scim`` sends accounts to the SCIM endpoint beside the source;
    roles and groups are still set over REST.

    Raises:
        UsageError: there is no such source, the name is ambiguous, or the source has no SCIM endpoint.
        MissingSecretError: the environment lacks a secret of the source.
    """

    def __init__(
        self,
        settings: Settings,
        source: str | None,
        command: str,
        *,
        by_scim: bool = False,
        environment: Mapping[str, str] = os.environ,
        clock: Clock = utc_now,
    ) -> None:
        chosen = _source(settings, source)
        self.journal = _journal(settings, chosen, command, clock)
        self._policy = policy_files(settings)
        self._connect: Callable[[], AbstractAsyncContextManager[Writer]]
        if by_scim:
            self._connect = _scim_connection(settings, chosen, environment)
        else:
            credentials = chosen.credentials(environment)
            self._connect = lambda: connected(chosen, credentials)

    def get(self, user: str) -> dict[str, Any]:
        """Return one account as it is now, with its role and groups by name.

        Raises:
            UsageError: there is no such account.
            SourceError: it cannot be read.
        """
        return accounts.get(self._connect, user)

    def create(
        self,
        wanted: Sequence[DesiredAccount],
        password: Callable[[], Secret | None],
        created: Callable[[AccountResult, Secret | None], None],
    ) -> list[AccountResult]:
        """Create accounts, except those that exist; ``created`` receives each result with its password.

        Raises:
            UsageError: a role or group does not exist; nothing was created.
            SourceError: the source cannot be read.
        """
        return accounts.create(self._connect, self.journal, wanted, password, created)

    def change(self, wanted: DesiredAccount) -> AccountResult:
        """Change one account: only the given fields, and only if they differ.

        Raises:
            UsageError: the account, the role or a group does not exist.
            GateError: it is the program's own account, the one made at installation, or the last administrator.
            SourceError: the source cannot be read.
        """
        return accounts.change(self._connect, self.journal, self._policy, wanted)

    def deactivate(self, user: str) -> AccountResult:
        """Deactivate one account; its role and groups stay. Raises as :meth:`change`."""
        return self.change(DesiredAccount(user, active=False))

    def delete(self, user: str) -> AccountResult:
        """Delete one account permanently. Raises as :meth:`change`."""
        return accounts.delete(self._connect, self.journal, self._policy, user)


class GroupService:
    """Changes groups of one source through the SCIM endpoint beside it.

    Raises:
        UsageError: there is no such source, the name is ambiguous, or the source has no SCIM endpoint.
        MissingSecretError: the environment lacks a secret of the source.
    """

    def __init__(
        self,
        settings: Settings,
        source: str | None,
        command: str,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Clock = utc_now,
    ) -> None:
        chosen = _source(settings, source)
        self.journal = _journal(settings, chosen, command, clock)
        self._connect = _scim_connection(settings, chosen, environment)

    def create(self, name: str, members: Sequence[str]) -> GroupResult:
        """Create a group with these members, unless it exists.

        Raises:
            UsageError: a member does not exist.
            SourceError: the endpoint cannot be read.
        """
        return groups.create(self._connect, self.journal, name, members)

    def change(
        self, name: str, *, rename: str | None = None, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> GroupResult:
        """Change a group's name and members; only what differs is sent.

        Raises:
            UsageError: the group or a member does not exist, the new name is taken, or a member is added and removed.
            SourceError: the endpoint cannot be read.
        """
        return groups.change(self._connect, self.journal, name, rename=rename, add=add, remove=remove)

    def delete(self, name: str) -> GroupResult:
        """Delete a group; its members keep their accounts.

        Raises:
            UsageError: no group has that name, or several have it.
            SourceError: the endpoint cannot be read.
        """
        return groups.delete(self._connect, self.journal, name)


def passwords(kind: str, environment: Mapping[str, str] = os.environ) -> Callable[[], Secret | None]:
    """Return a function that gives each new account its password: ``none``, ``environment`` or ``generated``.

    Raises:
        MissingSecretError: the environment does not have the password.
    """
    if kind == "none":
        return lambda: None
    if kind == "environment":
        given = read_secret(environment, PASSWORD_VARIABLE)
        if given is None:
            raise MissingSecretError(
                "there is no password for the new account", where="environment", hint=f"set {PASSWORD_VARIABLE}"
            )
        return lambda: given
    return lambda: Secret(secrets.token_urlsafe(18))


def scim_differences(path: Path, notify: Callable[[str], None]) -> ScimDifferences:
    """Return where SCIM and Sisense differ in the current build of the database at ``path``.

    Raises:
        WarehouseError: there is no build, or it has no SCIM users.
    """
    with database.sandbox(path, notify=notify) as connection:
        if not adhoc.run(connection, saved.statement("remediation", "scim_sources"), {})[1]:
            raise WarehouseError(
                "the current build has no SCIM users",
                where=str(path),
                hint="configure scim_url or a source of kind scim, then run 'access-review extract' and 'build'",
            )
        header, found = adhoc.run(connection, saved.statement("queries", "scim_differences"), {})
    return ScimDifferences(tuple(header), tuple(tuple(row) for row in found))


def _source(settings: Settings, name: str | None) -> SourceSettings:
    known = [source for source in settings.sources if source.kind == "sisense"]
    if name is None and len(known) != 1:
        raise UsageError(
            "no Sisense source is configured" if not known else f"{len(known)} Sisense sources are configured",
            where="--source",
            hint="choose one of [sources.*] with --source",
        )
    return settings.source(name) if name else known[0]


def _scim_connection(
    settings: Settings, source: SourceSettings, environment: Mapping[str, str]
) -> Callable[[], AbstractAsyncContextManager[Provisioner]]:
    credentials = source.credentials(environment)
    token = source.scim_token(environment)
    if token is None or source.kind == "scim":
        raise UsageError(
            f"source '{source.name}' has no SCIM endpoint beside it",
            where=str(settings.path),
            hint="add scim_url to a source of kind sisense",
        )
    return lambda: connected_by_scim(source, credentials, token)


def _journal(settings: Settings, source: SourceSettings, command: str, clock: Clock) -> CommandJournal:
    return CommandJournal(journal_path(settings.warehouse.database), command, source.name, clock=clock)
