"""The extract of one directory: its users, groups and the assignments to the application, into the spool."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import orjson

from pipeline.clock import Clock
from pipeline.errors import SourceError
from pipeline.settings import Credentials
from pipeline.sources.directories.entra import Entra
from pipeline.sources.directories.linked import LinkedList, LinkedReading, end_proven, read_linked, sweeps_agree
from pipeline.sources.directories.members import Members
from pipeline.sources.directories.okta import Okta
from pipeline.sources.errors import RedirectedError, RefusedError
from pipeline.sources.exchange import Reply
from pipeline.sources.extract import Extraction, ExtractJob, run_and_write
from pipeline.sources.page_log import PagePlace
from pipeline.sources.records import Records
from pipeline.sources.transport import Client
from pipeline.spool import Observation, Principal, SourceOutcome

__all__ = ["LOSSES", "DirectoryApi", "explained", "extract", "is_forbidden", "open_directory"]

#: What the report loses without a list, by its name.
LOSSES = {
    "groups": "groups cannot be compared with those of Sisense",
    "members": "groups cannot be compared with those of Sisense",
    "assignments": "who is assigned to the application is not known",
}


#: The checks of the lists, in the order of the record.
_CHECKS = ("end_proven", "sweeps_agree", "assignments_end_proven", "groups_end_proven")


class DirectoryApi(AbstractAsyncContextManager["DirectoryApi"], Protocol):
    """One product, as :mod:`.okta` and :mod:`.entra` implement it.

    ``permissions`` names what each list needs, ``missing`` the columns that cannot be read and what they need.
    """

    api: str
    permissions: dict[str, str]
    principal: Principal
    missing: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """Return how it was read, for the record of the extract."""

    async def open(self) -> None:
        """Log in, and find out what the credential may read. Raises ``SourceError``."""

    def users(self) -> LinkedList:
        """Return the list of users."""

    def groups(self) -> LinkedList:
        """Return the list of groups."""

    def members(self, group_id: str) -> LinkedList:
        """Return the list of a group's members."""

    def assignments(self, application: str) -> LinkedList:
        """Return the list of who is assigned to an application."""

    def reads_members_of(self, group: dict[str, Any]) -> bool:
        """Return whether the members of a group are read."""

    def sees_everyone(self) -> Observation | None:
        """Check that the credential shows every user; None if the count alone shows it."""


def open_directory(client: Client, credentials: Credentials, clock: Clock) -> DirectoryApi:
    """Return the API of a source of kind ``okta`` or ``entra``."""
    kinds: dict[str, Callable[[Client, Credentials, Clock], DirectoryApi]] = {"okta": Okta, "entra": Entra}
    return kinds[client.source.kind](client, credentials, clock)


def is_forbidden(error: RefusedError) -> bool:
    """Return whether an error says that a permission is missing."""
    return not isinstance(error, RedirectedError) and error.status in (401, 403)


def explained(error: RefusedError, things: str, permission: str = "") -> RefusedError:
    """Return the error of a list with a hint that says what to do about it."""
    hint = error.hint
    if is_forbidden(error) and permission:
        hint = f"grant the permission {permission}, with the consent of an administrator"
    elif error.status == 404 and things == "assignments":
        hint = "check 'application': it is the id of the application in the directory"
    else:
        return error
    return RefusedError(error.message, where=error.where, hint=hint, status=error.status)


def extract(job: ExtractJob, credentials: Credentials) -> SourceOutcome:
    """Read a directory into the spool; return its outcome, which is in the spool too.

    Raises:
        SourceError: the directory failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the secret cannot be used. The outcome was written, too.
    """
    return run_and_write(job, _DirectoryReader(credentials))


class _Groups:
    """The groups whose members are read, by id; ``assigned`` are those that the application is assigned to."""

    def __init__(self, api: DirectoryApi) -> None:
        self._api = api
        self._named: dict[str, str] = {}
        self.assigned: set[str] = set()

    @property
    def names(self) -> dict[str, str]:
        """Return the names of the groups by their ids; an assigned group that the list does not have has its id."""
        return self._named | {group_id: self._named.get(group_id, group_id) for group_id in sorted(self.assigned)}

    def found(self, group: dict[str, Any]) -> None:
        """Take a record of the list of groups."""
        if self._api.reads_members_of(group) and isinstance(group.get("id"), str):
            self._named[group["id"]] = str((group.get("profile") or {}).get("name") or group.get("displayName"))

    def found_assignment(self, assignment: dict[str, Any]) -> None:
        """Take a record of the list of assignments."""
        if assignment.get("principalType") == "Group" and isinstance(assignment.get("principalId"), str):
            self.assigned.add(assignment["principalId"])


class _DirectoryReader:
    """Reads users, assignments, groups and members (see :class:`~pipeline.sources.extract.SourceReader`)."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._api: DirectoryApi | None = None
        self._readings: dict[str, LinkedReading] = {}
        self._checks: list[Observation] = []
        self._missing: dict[str, str] = {}
        self._skew: float | None = None

    async def read(self, client: Client, extraction: Extraction) -> None:
        """Read everything: who reads, the users, the assignments, the groups and their members."""
        async with open_directory(client, self._credentials, extraction.job.clock) as api:
            self._api = api
            await api.open()
            # The pages of a list come one after the other, so the shorter lists are read beside the users.
            others = asyncio.ensure_future(self._read_others(api, extraction))
            try:
                await self._read_users(api, extraction)
                has_assignments, groups = await others
            finally:
                others.cancel()
                await asyncio.gather(others, return_exceptions=True)
            self._checks.sort(key=lambda check: _CHECKS.index(check.check_id))
            members = Members(api, extraction)
            self._checks += await members.read(groups.names)
            if members.refused:
                self._forbid("members")
            if has_assignments and not (members.refused and groups.assigned):
                extraction.settings["assignments"] = "read"
            if members.are_read:
                extraction.settings["groups"] = "read"
        extraction.settings["requests"] = str(client.requests)
        extraction.settings["least_concurrency"] = str(client.limiter.lowest)

    async def _read_users(self, api: DirectoryApi, extraction: Extraction) -> None:
        try:
            await self._read_list(extraction, "users", api.users())
        except RefusedError as error:
            raise explained(error, "users", api.permissions["users"]) from error
        self._checks.append(sweeps_agree("users", self._readings["users"]))

    async def _read_others(self, api: DirectoryApi, extraction: Extraction) -> tuple[bool, _Groups]:
        """Read the assignments and the groups; return whether the former were read, and whose members are needed."""
        groups, application = _Groups(api), extraction.job.source.application
        has_assignments = application is not None and await self._read_optional(
            extraction, "assignments", api.assignments(application), groups.found_assignment
        )
        await self._read_optional(extraction, "groups", api.groups(), groups.found)
        return has_assignments, groups

    def complete(self, outcome: SourceOutcome, extraction: Extraction) -> SourceOutcome:
        """Add who read it, its own counts, and the checks of lists that are read by links."""
        users = self._readings.get("users")
        source = extraction.job.source
        whole = [seen for seen in outcome.observations if seen.check_id == "records_whole"]
        not_read = [seen for seen in outcome.observations if seen.check_id == "end_proven" and users is None]
        caller = self._api.sees_everyone() if self._api is not None else None
        return dataclasses.replace(
            outcome,
            api=self._api.api if self._api is not None else None,
            principal=self._api.principal if self._api is not None else Principal(),
            missing=self._missing | (self._api.missing if self._api is not None else {}),
            server_counts={
                "users_before": users.before if users else None,
                "users_after": users.after if users else None,
            },
            clock_skew_seconds=self._skew,
            settings={"page_size_asked": str(source.page_size), "application": source.application or ""}
            | (self._api.settings if self._api is not None else {})
            | extraction.settings,
            observations=(*not_read, *self._checks, *whole, *([caller] if caller is not None else [])),
        )

    async def _read_optional(
        self, extraction: Extraction, things: str, linked: LinkedList, found: Callable[[dict[str, Any]], None]
    ) -> bool:
        """Read a list that the credential may not be allowed to read; return whether it was read."""
        try:
            await self._read_list(extraction, things, linked, found)
        except RefusedError as error:
            if not is_forbidden(error):
                raise explained(error, things) from error
            self._forbid(things)
            return False
        return True

    def _forbid(self, things: str) -> None:
        permission = self._api.permissions[things] if self._api is not None else ""
        self._missing[things] = f"needs the permission {permission}: {LOSSES[things]}"

    async def _read_list(
        self,
        extraction: Extraction,
        things: str,
        linked: LinkedList,
        found: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Read a list to its end. If that fails, the reading with most records is the accepted one."""
        resource = f"directory_{things}"
        kept: dict[int, int] = {}

        def keep(answer: Reply, records: Records, sweep: int, offset: int) -> None:
            if self._skew is None:
                self._skew = answer.skew_seconds
            extraction.page_log.record_page(answer, records, PagePlace(resource, sweep, offset))
            kept[sweep] = kept.get(sweep, 0) + records.items
            for record in orjson.loads(records.kept) if found is not None else ():
                found(record)  # type: ignore[misc]  # found is not None here

        try:
            reading = await read_linked(
                linked, keep, lambda items, total: extraction.job.advance(resource, items, total)
            )
        except SourceError:
            if kept:
                extraction.accepted[resource] = max(kept, key=lambda sweep: kept[sweep])
            raise
        extraction.accepted[resource] = reading.accepted.number
        self._readings[things] = reading
        check_id = "end_proven" if things == "users" else f"{things}_end_proven"
        self._checks.append(end_proven(check_id, things, reading))
        extraction.settings[f"{resource}_sweeps"] = str(reading.sweeps)
