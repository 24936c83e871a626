"""The preflight of one directory: whether the credential is accepted, and what it may not read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.clock import Clock, utc_now
from pipeline.errors import ConfigurationError, SourceError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources import event_loop
from pipeline.sources.directories.extract import LOSSES, DirectoryApi, explained, is_forbidden, open_directory
from pipeline.sources.directories.linked import LinkedList
from pipeline.sources.errors import RefusedError
from pipeline.sources.retries import Sleep
from pipeline.sources.sisense.preflight import PreflightCheck
from pipeline.sources.transport import Client
from pipeline.wording import counted

__all__ = ["preflight"]


def preflight(
    source: SourceSettings, credentials: Credentials, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
) -> Sequence[PreflightCheck]:
    """Check one directory without reading its lists. Trouble with it is a failed check, never an exception."""
    return event_loop.run(_check(source, credentials, clock, sleep))


async def _check(
    source: SourceSettings, credentials: Credentials, clock: Clock, sleep: Sleep
) -> Sequence[PreflightCheck]:
    checks: list[PreflightCheck] = []
    try:
        async with (
            Client(source, clock=clock, sleep=sleep) as client,
            open_directory(client, credentials, clock) as api,
        ):
            await api.open()
            reader = api.principal.user_name or "not told"
            checks.append(PreflightCheck("login", "ok", f"{api.api} at {source.url}, as {reader}"))
            await _users(api, checks)
            await _lists(api, source, checks)
    except (SourceError, ConfigurationError) as error:
        name = "users" if checks else "login"
        checks.append(PreflightCheck(name, "failed", str(error), error.hint or "", error.exit_code))
    return checks


async def _users(api: DirectoryApi, checks: list[PreflightCheck]) -> None:
    users = api.users()
    try:
        for start in users.starts:
            await users.page(start)
    except RefusedError as error:
        raise explained(error, "users", api.permissions["users"]) from error
    count = await users.count()
    told = "can be read; the directory counts none, so each list is read twice"
    checks.append(PreflightCheck("users", "ok", told if count is None else counted(count, "user")))
    caller = api.sees_everyone()
    if caller is not None and caller.result != "PASS":
        hint = "give the credential a role that shows every user; docs/okta.md says which"
        checks.append(PreflightCheck("role", "warning", caller.explanation, hint))
    for column, need in api.missing.items():
        checks.append(PreflightCheck(column, "warning", need, "grant the permission, or go without that column"))


async def _lists(api: DirectoryApi, source: SourceSettings, checks: list[PreflightCheck]) -> None:
    await _list(api, "groups", api.groups(), checks)
    if source.application is None:
        words = "no 'application' is configured, so nothing is known about who is assigned to Sisense"
        checks.append(PreflightCheck("assignments", "warning", words, 'add application = "..." to the source'))
        return
    try:
        await _list(api, "assignments", api.assignments(source.application), checks)
    except RefusedError as error:
        told = explained(error, "assignments")
        checks.append(PreflightCheck("assignments", "failed", str(told), told.hint or ""))


async def _list(api: DirectoryApi, things: str, linked: LinkedList, checks: list[PreflightCheck]) -> None:
    try:
        await linked.page(linked.starts[0])
    except RefusedError as error:
        if not is_forbidden(error):
            raise
        permission = api.permissions[things]
        hint = f"grant the permission {permission}"
        checks.append(PreflightCheck(things, "warning", f"needs {permission}: {LOSSES[things]}", hint))
        return
    checks.append(PreflightCheck(things, "ok", "can be read"))
