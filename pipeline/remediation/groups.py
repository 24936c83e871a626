"""Groups over SCIM: create, rename, change the members of and delete, with members by user name.

They are Sisense groups, never roles. Names are resolved before anything is sent. A request is journalled and sent
once; the group as it is read afterwards decides the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SourceError, UsageError
from pipeline.remediation.journal import Attempt, CommandJournal
from pipeline.remediation.waiting import read_back
from pipeline.sources import event_loop
from pipeline.sources.errors import UnclearError
from pipeline.sources.scim.provisioning import Provisioner

__all__ = ["GroupResult", "change", "create", "delete"]

Connect = Callable[[], AbstractAsyncContextManager[Provisioner]]


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The result for one group.

    ``state`` is ``created``, ``exists``, ``changed``, ``deleted``, ``as it was``, ``failed`` or ``unclear``.
    """

    group: str
    state: str
    detail: str

    @property
    def is_good(self) -> bool:
        """Return whether the group is now as requested."""
        return self.state not in {"failed", "unclear"}


def create(connect: Connect, journal: CommandJournal, name: str, members: Sequence[str]) -> GroupResult:
    """Create a group with these members, unless it exists.

    Raises:
        UsageError: a member does not exist.
        SourceError: the endpoint cannot be read.
    """

    async def work() -> GroupResult:
        async with connect() as provisioner:
            ids = await _user_ids(provisioner, members)
            if await provisioner.groups_named(name):
                return GroupResult(name, "exists", "it exists already")
            with journal.attempt(provisioner, {"group": name, "group_id": None}) as attempt:
                answer_error = await attempt.send(provisioner.create_group(name, ids))

                def is_made(found: list[dict[str, Any]]) -> bool:
                    return len(found) == 1 and _members(found[0]) == set(ids)

                found = await _read_back(provisioner, name, is_made, answer_error)
                return _outcome(attempt, name, "created", answer_error, is_made=is_made(found))

    return event_loop.run(work())


def change(
    connect: Connect,
    journal: CommandJournal,
    name: str,
    *,
    rename: str | None = None,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> GroupResult:
    """Change a group's name and members; only what differs is sent.

    Raises:
        UsageError: the group or a member does not exist, the new name is taken, or a member is added and removed.
        SourceError: the endpoint cannot be read.
    """
    if both := {user.lower() for user in add} & {user.lower() for user in remove}:
        raise UsageError(
            f"'{min(both)}' is both added and removed", where=f"group {name}", hint="use one of the two options"
        )

    async def work() -> GroupResult:
        async with connect() as provisioner:
            group = await _find_group(provisioner, name)
            before = _members(group)
            joining = [each for each in await _user_ids(provisioner, add) if each not in before]
            leaving = [each for each in await _user_ids(provisioner, remove) if each in before]
            new_name = None if rename in {None, str(group.get("displayName"))} else rename
            if not (joining or leaving or new_name):
                return GroupResult(name, "as it was", "nothing to change")
            if new_name is not None and new_name.lower() != name.lower() and await provisioner.groups_named(new_name):
                raise UsageError(
                    f"there is a group '{new_name}' already", where="--rename", hint="choose another name"
                )
            group_id = str(group["id"])
            with journal.attempt(provisioner, {"group": name, "group_id": group_id}, _previous(group)) as attempt:
                request = provisioner.change_group(group_id, name=new_name, add=joining, remove=leaving)
                answer_error = await attempt.send(request)
                wanted = (before | set(joining)) - set(leaving)

                def is_changed(found: list[dict[str, Any]]) -> bool:
                    own = [each for each in found if str(each["id"]) == group_id]
                    return len(own) == 1 and _members(own[0]) == wanted

                found = await _read_back(provisioner, new_name or name, is_changed, answer_error)
                return _outcome(attempt, name, "changed", answer_error, is_made=is_changed(found))

    return event_loop.run(work())


def delete(connect: Connect, journal: CommandJournal, name: str) -> GroupResult:
    """Delete a group; its members stay.

    Raises:
        UsageError: no group has that name, or several have it.
        SourceError: the endpoint cannot be read.
    """

    async def work() -> GroupResult:
        async with connect() as provisioner:
            group = await _find_group(provisioner, name)
            subject = {"group": name, "group_id": str(group["id"])}
            with journal.attempt(provisioner, subject, _previous(group)) as attempt:
                answer_error = await attempt.send(provisioner.delete_group(str(group["id"])))
                found = await _read_back(provisioner, name, lambda seen: not seen, answer_error)
                return _outcome(attempt, name, "deleted", answer_error, is_made=not found)

    return event_loop.run(work())


async def _read_back(
    provisioner: Provisioner,
    name: str,
    is_made: Callable[[list[dict[str, Any]]], bool],
    answer_error: SourceError | None,
) -> list[dict[str, Any]]:
    return await read_back(lambda: provisioner.groups_named(name), is_made, answer_error, provisioner.sleep)


async def _find_group(provisioner: Provisioner, name: str) -> dict[str, Any]:
    found = await provisioner.groups_named(name)
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"there is no group '{name}'" if not found else f"{len(found)} groups are called '{name}'",
        where="SCIM endpoint",
        hint="SCIM does not list Sisense's built-in groups; 'access-review scim diff' lists all differences",
    )


async def _user_ids(provisioner: Provisioner, user_names: Iterable[str]) -> list[str]:
    ids = []
    for user_name in user_names:
        found = await provisioner.users(user_name)
        if len(found) != 1:
            raise UsageError(
                f"there is no user '{user_name}'" if not found else f"{len(found)} users are called '{user_name}'",
                where="SCIM endpoint",
                hint="nothing was sent; use the user name that the identity provider has",
            )
        ids.append(str(found[0]["id"]))
    return list(dict.fromkeys(ids))


def _members(group: dict[str, Any]) -> set[str]:
    members = group.get("members") or ()
    return {str(member["value"]) for member in members if isinstance(member, dict) and member.get("value")}


def _previous(group: dict[str, Any]) -> dict[str, Any]:
    """Return the values needed to restore a group."""
    return {"displayName": group.get("displayName"), "members": sorted(_members(group))}


def _outcome(
    attempt: Attempt, name: str, state: str, answer_error: SourceError | None, *, is_made: bool
) -> GroupResult:
    if is_made:
        detail = f"although {answer_error.message}" if answer_error else "confirmed by reading it back"
        outcome = GroupResult(name, state, detail)
    elif answer_error is None:
        outcome = GroupResult(name, "unclear", "the server accepted it, but it does not show yet")
    else:
        outcome = GroupResult(
            name, "unclear" if isinstance(answer_error, UnclearError) else "failed", answer_error.message
        )
    attempt.ended(outcome.state, outcome.detail)
    return outcome
