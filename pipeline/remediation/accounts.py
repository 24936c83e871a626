"""Single accounts: look up, create, change, deactivate and delete, with roles and groups by name.

Names are resolved against the instance at the time of the call, because ids differ between instances. Requests are
journalled and read back; the account as it is then decides the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from pipeline.errors import GateError, SourceError, UsageError
from pipeline.remediation.guards import Guards, shown_names
from pipeline.remediation.journal import Attempt, CommandJournal
from pipeline.remediation.waiting import locked, read_back
from pipeline.settings import Secret
from pipeline.sources import event_loop
from pipeline.sources.accounts import AccountState, Writer
from pipeline.sources.errors import RefusedError, UnclearError
from pipeline.spelling import nearest
from pipeline.warehouse.policy import PolicyFiles

__all__ = ["AccountResult", "DesiredAccount", "change", "create", "delete", "get"]

Connect = Callable[[], AbstractAsyncContextManager[Writer]]

#: Statuses with which a server refuses a user name or address that is taken.
_TAKEN = frozenset({400, 409, 422})


@dataclass(frozen=True, slots=True)
class DesiredAccount:
    """An account as it should be; None keeps a field unchanged. Role and groups are names.

    ``groups`` replaces all groups; ``add_groups`` and ``remove_groups`` change those that the account has.
    """

    user_name: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    role: str | None = None
    groups: tuple[str, ...] | None = None
    active: bool | None = None
    add_groups: tuple[str, ...] = ()
    remove_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountResult:
    """The result for one account.

    ``state`` is ``created``, ``exists``, ``changed``, ``deleted``, ``as it was``, ``failed`` or ``unclear``.
    """

    user_name: str
    state: str
    account_id: str | None
    detail: str

    @property
    def is_good(self) -> bool:
        """Return whether the account is now as requested."""
        return self.state not in {"failed", "unclear"}


@dataclass(frozen=True, slots=True)
class _Names:
    """The roles and groups of one instance, by all of their names."""

    roles: Mapping[str, Sequence[str]]
    groups: Mapping[str, Sequence[str]]
    role_names: Mapping[str, str]
    group_names: Mapping[str, str]
    role_records: Sequence[Mapping[str, Any]]

    def fields(self, wanted: DesiredAccount) -> dict[str, Any]:
        """Return the fields to send for an account.

        Raises:
            UsageError: no role or group has the name, or several have it.
        """
        given = {
            "email": wanted.email,
            "firstName": wanted.first_name,
            "lastName": wanted.last_name,
            "active": wanted.active,
        }
        fields: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if wanted.role is not None:
            fields["roleId"] = _resolved("role", wanted.role, self.roles, self.role_names, wanted.user_name)
        if wanted.groups is not None:
            fields["groups"] = sorted(self.group_ids(wanted.groups, wanted.user_name))
        return fields

    def group_ids(self, names: Sequence[str], user_name: str) -> set[str]:
        """Return the ids of groups.

        Raises:
            UsageError: no group has the name, or several have it.
        """
        return {_resolved("group", name, self.groups, self.group_names, user_name) for name in names}


def get(connect: Connect, user_name: str) -> dict[str, Any]:
    """Return one account as it is now, with its role and groups by name.

    Raises:
        UsageError: there is no such account.
        SourceError: it cannot be read.
    """

    async def work() -> dict[str, Any]:
        async with connect() as writer:
            names = await _names(writer)
            found = await _find_account(writer, user_name)
            return {
                "account_id": found.account_id,
                "user_name": found.user_name,
                "email": found.email,
                "active": found.active,
                "role": names.role_names.get(found.role_id or "", found.role_id),
                "groups": [names.group_names.get(group, group) for group in found.groups],
                "last_login": found.last_login,
                "last_activity": found.last_activity,
            }

    return event_loop.run(work())


def create(
    connect: Connect,
    journal: CommandJournal,
    wanted: Sequence[DesiredAccount],
    password: Callable[[], Secret | None],
    created: Callable[[AccountResult, Secret | None], None],
) -> list[AccountResult]:
    """Create accounts, except those that exist. All names are resolved before the first account is sent.

    ``password`` returns the password of a new account, or None for single sign-on. ``created`` receives each result
    with its password before the next account is sent.

    Raises:
        UsageError: a role or group does not exist; nothing was created.
        SourceError: the source cannot be read.
    """

    async def work() -> list[AccountResult]:
        async with connect() as writer:
            names = await _names(writer)
            all_fields = [names.fields(each) for each in wanted]
            pairs = zip(wanted, all_fields, strict=True)
            return [
                await _create_under_lock(writer, journal, each, fields, password, created) for each, fields in pairs
            ]

    return event_loop.run(work())


def change(connect: Connect, journal: CommandJournal, policy: PolicyFiles, wanted: DesiredAccount) -> AccountResult:
    """Change one account: only the fields that are given, and only if they differ.

    Raises:
        UsageError: the account, the role or a group does not exist.
        GateError: it is the program's own account, the one made at installation, or the last administrator.
        ConfigurationError: the policy that ranks the roles is wrong.
        SourceError: the source cannot be read.
    """

    async def work() -> AccountResult:
        async with connect() as writer:
            names = await _names(writer)
            fields = names.fields(wanted)
            added = names.group_ids(wanted.add_groups, wanted.user_name)
            removed = names.group_ids(wanted.remove_groups, wanted.user_name)
            found = await _find_account(writer, wanted.user_name)
            if added or removed:
                fields["groups"] = sorted((set(found.groups) | added) - removed)
            differing = {key: value for key, value in fields.items() if _differs(found, key, value)}
            if not differing:
                return AccountResult(wanted.user_name, "as it was", found.account_id, "nothing to change")
            if differing.get("active") is False or "roleId" in differing:
                await _guard(writer, names, policy, found)
            now = _settable_fields(found)
            with journal.attempt(writer, _subject(found), {key: now[key] for key in differing}) as attempt:
                answer_error = await attempt.send(writer.change(found.account_id, differing))

                def still_differing(after: AccountState | None) -> list[str]:
                    return [key for key, value in differing.items() if after is None or _differs(after, key, value)]

                after = await read_back(
                    lambda: writer.account(found.account_id),
                    lambda seen: not still_differing(seen),
                    answer_error,
                    writer.sleep,
                )
                differences = still_differing(after)
                return _outcome(attempt, wanted.user_name, "changed", found.account_id, differences, answer_error)

    return event_loop.run(work())


def delete(connect: Connect, journal: CommandJournal, policy: PolicyFiles, user_name: str) -> AccountResult:
    """Delete one account permanently.

    Raises:
        UsageError: there is no such account.
        GateError: it is the program's own account, the one made at installation, or the last administrator.
        ConfigurationError: the policy that ranks the roles is wrong.
        SourceError: the source cannot be read.
    """

    async def work() -> AccountResult:
        async with connect() as writer:
            found = await _find_account(writer, user_name)
            await _guard(writer, await _names(writer), policy, found)
            with journal.attempt(writer, _subject(found), _settable_fields(found)) as attempt:
                answer_error = await attempt.send(writer.delete(found.account_id))
                after = await read_back(
                    lambda: writer.account(found.account_id), lambda seen: seen is None, answer_error, writer.sleep
                )
                differences = [] if after is None else ["it still exists"]
                return _outcome(attempt, user_name, "deleted", found.account_id, differences, answer_error)

    return event_loop.run(work())


async def _create_under_lock(
    writer: Writer,
    journal: CommandJournal,
    wanted: DesiredAccount,
    fields: Mapping[str, Any],
    password: Callable[[], Secret | None],
    created: Callable[[AccountResult, Secret | None], None],
) -> AccountResult:
    # The lock covers the look-up too, so another process with the same file finds the new account.
    with locked(journal.path, f"create {writer.where} {wanted.user_name.lower()}"):
        return await _create_one(writer, journal, wanted, fields, password, created)


async def _create_one(
    writer: Writer,
    journal: CommandJournal,
    wanted: DesiredAccount,
    fields: Mapping[str, Any],
    password: Callable[[], Secret | None],
    created: Callable[[AccountResult, Secret | None], None],
) -> AccountResult:
    found = await writer.accounts(userName=wanted.user_name)
    if not found and wanted.email:
        found = await writer.accounts(email=wanted.email)
    if found:
        return _existing(wanted, fields, found[0])
    secret = password()
    document = {"userName": wanted.user_name, **fields} | ({"password": secret.reveal()} if secret else {})
    with journal.attempt(writer, {"account": wanted.user_name, "account_id": None}) as attempt:
        answer_error = await attempt.send(writer.create(document))

        async def read() -> list[AccountState]:
            return await writer.accounts(userName=wanted.user_name)

        def is_made(seen: list[AccountState]) -> bool:
            return bool(seen) and not any(_differs(seen[0], key, value) for key, value in fields.items())

        after = await read_back(read, is_made, answer_error, writer.sleep)
        if after and isinstance(answer_error, RefusedError) and answer_error.status in _TAKEN:
            outcome = _existing(wanted, fields, after[0])  # another run has created it
            attempt.ended(outcome.state, outcome.detail, account_id=outcome.account_id)
            return outcome
        found_id = after[0].account_id if after else None
        differences = (
            [key for key, value in fields.items() if _differs(after[0], key, value)]
            if after
            else ["it does not exist"]
        )
        outcome = _outcome(attempt, wanted.user_name, "created", found_id, differences, answer_error)
    if after and after[0].active is False and outcome.is_good:
        outcome = replace(outcome, detail=f"{outcome.detail}; it is inactive in Sisense")
    created(outcome, secret)
    return outcome


def _existing(wanted: DesiredAccount, fields: Mapping[str, Any], found: AccountState) -> AccountResult:
    differing = [key for key, value in fields.items() if _differs(found, key, value)]
    detail = f"it exists with another {', '.join(differing)}" if differing else "it exists already"
    return AccountResult(wanted.user_name, "exists", found.account_id, detail)


def _subject(found: AccountState) -> dict[str, Any]:
    return {"account": found.user_name, "account_id": found.account_id}


def _outcome(
    attempt: Attempt,
    user_name: str,
    state: str,
    account_id: str | None,
    differences: Sequence[str],
    answer_error: SourceError | None,
) -> AccountResult:
    difference = f"not as requested: {', '.join(differences)}"
    if not differences:
        detail = f"although {answer_error.message}" if answer_error else "confirmed by reading it back"
    elif answer_error is None:
        state, detail = "unclear", f"the server accepted it, but it does not show yet: {difference}"
    else:
        state = "unclear" if isinstance(answer_error, UnclearError) else "failed"
        detail = f"{difference}; {answer_error.message}"
    attempt.ended(state, detail, account_id=account_id)
    return AccountResult(user_name, state, account_id, detail)


async def _guard(writer: Writer, names: _Names, policy: PolicyFiles, found: AccountState) -> None:
    refusal = await Guards(writer, names.role_records, policy).refuse(found, removes_privilege=True)
    if refusal is not None:
        raise GateError(
            f"'{found.user_name}' must not be changed: {refusal.reason}", where="nothing was sent", hint=refusal.hint
        )


async def _find_account(writer: Writer, user_name: str) -> AccountState:
    found = await writer.accounts(userName=user_name) or await writer.accounts(email=user_name)
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"there is no account '{user_name}'" if not found else f"{len(found)} accounts are called '{user_name}'",
        where=f"logged in as {writer.principal.user_name or 'unknown'}",
        hint="use a user name or e-mail address from population.csv",
    )


def _settable_fields(found: AccountState) -> dict[str, Any]:
    """Return every field that can be set, by its API name."""
    return found.fields | {"email": found.email, "firstName": found.first_name, "lastName": found.last_name}


def _differs(found: AccountState, key: str, value: Any) -> bool:
    now = _settable_fields(found)
    if key == "email":
        return str(now[key]).lower() != str(value).lower()
    return bool(now[key] != value)


async def _names(writer: Writer) -> _Names:
    shown = shown_names()
    records = await writer.roles()
    roles: dict[str, list[str]] = {}
    role_names: dict[str, str] = {}
    for role in records:
        name, role_id = str(role.get("name") or ""), str(role.get("_id"))
        role_names[role_id] = shown.get(name.lower(), name)
        for known_as in {name.lower(), role_names[role_id].lower(), str(role.get("displayName") or name).lower()}:
            roles.setdefault(known_as, []).append(role_id)
    groups: dict[str, list[str]] = {}
    group_names = {str(group["_id"]): str(group.get("name") or "") for group in await writer.groups()}
    for group_id, name in group_names.items():
        groups.setdefault(name.lower(), []).append(group_id)
    return _Names(roles, groups, role_names, group_names, records)


def _resolved(
    kind: str, name: str, known: Mapping[str, Sequence[str]], shown: Mapping[str, str], user_name: str
) -> str:
    found = sorted(set(known.get(name.strip().lower(), ())))
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{len(found)} {kind}s are called '{name}'",
            where=f"account {user_name}",
            hint="rename one of them in Sisense",
        )
    match = nearest(name.strip().lower(), list(known))
    raise UsageError(
        f"there is no {kind} '{name}'",
        where=f"account {user_name}",
        hint=f"did you mean '{shown[known[match][0]]}'?"
        if match
        else f"there are: {', '.join(sorted(shown.values())[:12])}",
    )
