"""Sisense: which API is there, where its endpoints are, and the extract of accounts, roles and groups.

Documents disagree about addresses and parameters, so every endpoint is looked for: an address counts as absent only
when it says so (404, 405, 410, 501) or keeps answering with something else than data, and never after one failure.
What was found is recorded in the outcome's ``settings``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from pipeline.errors import ContentError, LoginError, SourceError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.http import Answer, Client, Clock, RefusedError, Sleep, UnreadableError
from pipeline.sources.ledger import Ledger, timestamp
from pipeline.sources.paging import Reading, read_list
from pipeline.sources.records import BadAnswerError, Records, read_json, read_records
from pipeline.sources.session import Session
from pipeline.spool import Observation, Outcome, Principal, Spool

__all__ = ["LOSSES", "Instance", "Progress", "extract", "utc_now"]

Progress = Callable[[str, int, int | None], None]
_T = TypeVar("_T")

#: What the report loses where an endpoint does not exist, by resource.
LOSSES = {
    "status": "the server's version is not known",
    "loggedin": "the caller's own role cannot be read, so nothing says whether it sees every account",
    "users_count": "no independent count: the end of the list rests on two agreeing sweeps",
    "roles": "roles have no names, no rank and no permissions: every account counts as unclassified",
    "groups": "groups have no names, and their roles are unknown",
    "group_members": "memberships that only the group side knows are missing",
}
_BASES = {"v1": ("/api/v1",), "v0.9": ("/api", "/api/v0.9"), "auto": ("/api/v1", "/api", "/api/v0.9")}
_API_NAMES = {"/api/v1": "v1", "/api": "v0.9 at /api", "/api/v0.9": "v0.9 at /api/v0.9"}
_ABSENT = frozenset({404, 405, 410, 501})
_UNKNOWN_KEYS = frozenset({400, 422})
#: How often an address that is being looked for may answer nonsense before the next one is tried.
_LOOKS = 3


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that exists, and the optional query keys it takes."""

    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)


class Instance:
    """One Sisense, logged in: finds endpoints and reads them. ``note`` hears of every answer that holds no records."""

    def __init__(self, client: Client, session: Session, note: Callable[[Answer, str], None]) -> None:
        self.client = client
        self.session = session
        self.missing: dict[str, str] = {}
        self.version: str | None = None
        self.base: str | None = None
        self.skew_seconds: float | None = None
        self._note = note

    @property
    def api(self) -> str | None:
        """Return the flavour found, in words."""
        return _API_NAMES[self.base] if self.base else None

    async def read_status(self) -> None:
        """Ask for the version, which needs no login; many servers do not have it."""
        try:
            answer, status = await self.client.ask("/api/v1/application/status", _read_object, attempts=_LOOKS)
        except (RefusedError, UnreadableError):
            self.missing["status"] = LOSSES["status"]
            return
        self._note(answer, "status")
        version = status.get("version")
        version = version.get("version") if isinstance(version, dict) else version
        self.version = version if isinstance(version, str) else None

    async def find_users(self) -> Endpoint:
        """Find the list of accounts, and with it the flavour of the API.

        Raises:
            SourceError: it is nowhere, or not for this caller.
        """
        bases = _BASES[self.client.source.api]
        paths = [f"{base}/users" for base in bases]
        endpoint = await self._find("users", paths, [{"sort": "_id"}, {}], _read_page, {"skip": 0, "limit": 1})
        if endpoint is None:
            raise ContentError(
                "there is no list of users where one was looked for",
                where=f"source '{self.client.source.name}', {self.client.source.url} ({', '.join(paths)})",
                hint="check 'url' (with its tenant prefix, if it has one) and 'api'",
            )
        self.base = endpoint.path.removesuffix("/users")
        return endpoint

    async def find_optional(
        self,
        resource: str,
        suffix: str,
        queries: Sequence[Mapping[str, str]],
        read: Callable[[Answer], object],
        **page: int,
    ) -> Endpoint | None:
        """Find an endpoint that may be absent: under the flavour's base, or where the other flavours have it."""
        preferred = [f"{self.base}/{suffix}"] if resource == "groups" else []
        paths = list(dict.fromkeys([*preferred, *(f"{base}/{suffix}" for base in ("/api", "/api/v1", "/api/v0.9"))]))
        try:
            endpoint = await self._find(resource, paths, queries, read, page)
        except RefusedError as error:
            self.missing[resource] = f"{LOSSES[resource]} ({error.message})"
            return None
        if endpoint is None:
            self.missing[resource] = LOSSES[resource]
        return endpoint

    async def read_principal(self) -> Principal:
        """Ask who the credential belongs to."""
        found: list[dict[str, Any]] = []

        def read(answer: Answer) -> None:
            found.append(_caller(answer))

        try:
            await self.find_optional("loggedin", "users/loggedin", [{}], read)
        except LoginError:
            if self.session.is_over:
                raise
            self.missing["loggedin"] = LOSSES["loggedin"]
        return _principal(found[-1] if found else self.session.profile)

    async def get(
        self, endpoint: Endpoint, read: Callable[[Answer], _T], query: Mapping[str, str | int] | None = None
    ) -> tuple[Answer, _T]:
        """Read an endpoint that was found."""
        answer, value = await self.client.ask(
            endpoint.path, read, query={**(query or {}), **endpoint.query}, authority=self.session
        )
        self._see_clock(answer)
        return answer, value

    async def _find(
        self,
        resource: str,
        paths: Sequence[str],
        queries: Sequence[Mapping[str, str]],
        read: Callable[[Answer], object],
        page: Mapping[str, int],
    ) -> Endpoint | None:
        """Try the addresses in turn, each with the optional query keys and then without them."""
        unsure: list[str] = []
        for path in paths:
            endpoint, is_sure = await self._look(resource, path, queries, read, page, _LOOKS)
            if endpoint is not None:
                return endpoint
            if not is_sure:
                unsure.append(path)
        for path in unsure:
            endpoint, _ = await self._look(resource, path, queries, read, page, None)
            if endpoint is not None:
                return endpoint
        return None

    async def _look(
        self,
        resource: str,
        path: str,
        queries: Sequence[Mapping[str, str]],
        read: Callable[[Answer], object],
        page: Mapping[str, int],
        attempts: int | None,
    ) -> tuple[Endpoint | None, bool]:
        """Return the endpoint if it is there, and whether its absence is beyond doubt."""
        said_no = 0
        candidates = list(queries)
        while candidates:
            try:
                answer, _ = await self.client.ask(
                    path, read, query={**page, **candidates[0]}, authority=self.session, attempts=attempts
                )
            except UnreadableError:
                return None, False
            except RefusedError as error:
                if error.status in _UNKNOWN_KEYS and len(candidates) > 1:
                    del candidates[0]
                    continue
                if error.status in _ABSENT or error.status in _UNKNOWN_KEYS or error.status == 302:
                    said_no += 1
                    if said_no < 2:
                        continue
                    return None, True
                raise
            self._see_clock(answer)
            self._note(answer, resource if resource in ("loggedin", "users_count") else "probe")
            return Endpoint(path, dict(candidates[0])), True
        return None, True

    def _see_clock(self, answer: Answer) -> None:
        if self.skew_seconds is None:
            self.skew_seconds = answer.skew_seconds


class _List:
    """One list of the instance, as :mod:`pipeline.sources.paging` reads it."""

    def __init__(
        self, instance: Instance, ledger: Ledger, resource: str, endpoint: Endpoint, count: Endpoint | None
    ) -> None:
        self._instance = instance
        self._ledger = ledger
        self._resource = resource
        self._endpoint = endpoint
        self._count = count

    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        secrets = self._instance.client.secrets
        return await self._instance.get(
            self._endpoint, lambda answer: read_records(answer.body, secrets), {"skip": offset, "limit": limit}
        )

    def keep(self, answer: Answer, records: Records, *, sweep: int, offset: int, keep: bool) -> None:
        self._ledger.keep(answer, records, self._resource, sweep=sweep, offset=offset, keep=keep)

    async def count(self) -> int | None:
        if self._count is None:
            return None
        answer, count = await self._instance.get(self._count, _read_count)
        self._ledger.note(answer, "users_count")
        return count


def extract(
    source: SourceSettings,
    credentials: Credentials,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> Outcome:
    """Read one source into the spool; return what became of it, which is in the spool too.

    ``progress(resource, items_so_far, total_or_None)`` is called after every page of records.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
    """
    return asyncio.run(_Extract(source, credentials, spool, progress, clock, sleep).run())


class _Extract:
    def __init__(
        self,
        source: SourceSettings,
        credentials: Credentials,
        spool: Spool,
        progress: Progress,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self.source = source
        self.credentials = credentials
        self.spool = spool
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self.started = clock()
        self.ledger = Ledger(spool, source.name)
        self.principal = Principal()
        self.accepted: dict[str, int] = {}
        self.counts: dict[str, int | None] = {"users_before": None, "users_after": None}
        self.settings: dict[str, str] = {}
        self.readings: dict[str, Reading] = {}
        self.observations: tuple[Observation, ...] = ()

    async def run(self) -> Outcome:
        failure: SourceError | None = None
        async with Client(self.source, clock=self.clock, sleep=self.sleep) as client:
            session = Session(client, self.credentials, on_login=lambda answer: self.ledger.note(answer, "login"))
            instance = Instance(client, session, self.ledger.note)
            try:
                await self.read(instance)
            except SourceError as error:
                failure = error
            outcome = self.outcome(instance, failure)
        self.spool.write_outcome(outcome)
        if failure is not None:
            raise failure
        return outcome

    async def read(self, instance: Instance) -> None:
        await instance.read_status()
        users = await instance.find_users()
        self.principal = await instance.read_principal()
        count = await instance.find_optional("users_count", "users/count", [{}], _read_count)
        await self.read_list(instance, "users", users, count)
        await self.read_roles(instance)
        groups = await instance.find_optional(
            "groups",
            "groups",
            [{"expand": "users", "sort": "_id"}, {"expand": "users"}, {}],
            _read_page,
            skip=0,
            limit=1,
        )
        if groups is not None:
            if "expand" not in groups.query:
                instance.missing["group_members"] = LOSSES["group_members"]
            await self.read_list(instance, "groups", groups, None)

    async def read_list(self, instance: Instance, resource: str, endpoint: Endpoint, count: Endpoint | None) -> None:
        self.settings[f"{resource}_path"] = endpoint.path
        self.settings[f"{resource}_query"] = "&".join(["skip", "limit", *map("=".join, _texts(endpoint.query))])
        reading = await read_list(
            _List(instance, self.ledger, resource, endpoint, count),
            page_size=self.source.page_size,
            workers=self.source.concurrency,
            progress=lambda items, total: self.progress(resource, items, total),
        )
        self.readings[resource] = reading
        self.accepted[resource] = reading.accepted.number
        self.settings[f"{resource}_page_size"] = str(reading.page_size)
        self.settings[f"{resource}_list"] = "whole" if reading.accepted.is_whole else "paged"
        self.settings[f"{resource}_sweeps"] = str(reading.sweeps)
        if resource == "users":
            self.counts = {"users_before": reading.before, "users_after": reading.after}

    async def read_roles(self, instance: Instance) -> None:
        wanted = {"includeManifest": "true", "includeBaseRolesName": "true"}
        endpoint = await instance.find_optional("roles", "roles", [wanted, {}], _read_page)
        if endpoint is None:
            return
        secrets = instance.client.secrets
        answer, records = await instance.get(endpoint, lambda answer: read_records(answer.body, secrets))
        self.ledger.keep(answer, records, "roles", sweep=1, offset=None)
        self.accepted["roles"] = 1
        self.settings["roles_path"] = endpoint.path
        self.settings["roles_query"] = "&".join(map("=".join, _texts(endpoint.query)))
        self.progress("roles", records.items, records.items)

    def outcome(self, instance: Instance, failure: SourceError | None) -> Outcome:
        session, client = instance.session, instance.client
        self.settings |= {
            "page_size_asked": str(self.source.page_size),
            "login": session.style or "none",
            "login_path": session.path or "",
            "logins": str(session.logins),
            "requests": str(client.requests),
            "least_concurrency": str(client.narrowest),
            "verify_tls": str(self.source.verify_tls).lower(),
        }
        return Outcome(
            source=self.source.name,
            kind=self.source.kind,
            url=self.source.url,
            api=instance.api,
            version=instance.version,
            principal=self.principal,
            accepted_sweeps=self.accepted,
            server_counts=self.counts,
            missing=instance.missing,
            settings=self.settings,
            clock_skew_seconds=instance.skew_seconds,
            observations=tuple(observations(self.readings)),
            started_at=timestamp(self.started),
            finished_at=timestamp(self.clock()),
            error=client.hide(str(failure)) if failure else None,
            hint=failure.hint if failure else None,
        )


def observations(readings: Mapping[str, Reading]) -> list[Observation]:
    """Judge what only the extractor could see, over all lists that were read page by page."""
    return []


def _texts(query: Mapping[str, str | int]) -> list[tuple[str, str]]:
    return [(key, str(value)) for key, value in query.items()]


def _read_page(answer: Answer) -> Records:
    return read_records(answer.body)


def _read_object(answer: Answer) -> dict[str, Any]:
    document = read_json(answer.body)
    if not isinstance(document, dict):
        raise BadAnswerError("something else than an object came")
    return document


def _read_count(answer: Answer) -> int:
    document = read_json(answer.body)
    count = document.get("count") if isinstance(document, dict) else document
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadAnswerError("the count of users is not a number")
    return count


def _caller(answer: Answer) -> dict[str, Any]:
    document = _read_object(answer)
    if not any(isinstance(document.get(key), str) for key in ("_id", "userName", "email")):
        raise BadAnswerError("the answer does not say who is logged in")
    return document


def _principal(document: Mapping[str, Any]) -> Principal:
    role = document.get("role")
    role_name = role.get("name") if isinstance(role, dict) else role
    role_id = role.get("_id") if isinstance(role, dict) else None
    return Principal(
        user_name=_text(document.get("userName")) or _text(document.get("email")),
        account_id=_text(document.get("_id")),
        role_id=_text(document.get("roleId")) or _text(role_id),
        role_name=_text(document.get("roleName")) or _text(role_name),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
