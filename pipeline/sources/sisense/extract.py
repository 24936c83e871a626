"""The extract of one Sisense: accounts, roles and groups into the spool, and how far they can be relied on."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from collections.abc import Coroutine
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, SourceError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.completeness import observations
from pipeline.sources.connection import Answer
from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.lists import LedgerList, Progress
from pipeline.sources.page_log import PageLog, timestamp
from pipeline.sources.paging import Reading
from pipeline.sources.records import Records
from pipeline.sources.sisense.rest import Endpoint, SisenseApi, read_count
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client, Sleep
from pipeline.spool import Principal, SourceOutcome, Spool

__all__ = ["extract"]


class _List(LedgerList):
    def __init__(
        self, instance: SisenseApi, ledger: PageLog, resource: str, endpoint: Endpoint, count: Endpoint | None
    ) -> None:
        super().__init__(ledger, resource)
        self._instance = instance
        self._endpoint = endpoint
        self._count = count

    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        return await self._instance.get(self._endpoint, self._instance.read_records, {"skip": offset, "limit": limit})

    async def count(self) -> int | None:
        if self._count is None:
            return None
        try:
            answer, count = await self._instance.get(self._count, read_count)
        except (RefusedError, UnreadableError):
            return None
        self.ledger.note(answer, "users_count")
        return count


def extract(
    source: SourceSettings,
    credentials: Credentials,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> SourceOutcome:
    """Read one source into the spool; return what became of it, which is in the spool too.

    ``progress(resource, items_so_far, total_or_None)`` is called after every page of records.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    work = _Extract(source, credentials, spool, progress=progress, clock=clock, sleep=sleep)
    gc.freeze()  # what is there now stays; looking through it again and again would hold up every page
    try:
        return asyncio.run(work.run())
    finally:
        gc.unfreeze()


class _Extract:
    def __init__(
        self,
        source: SourceSettings,
        credentials: Credentials,
        spool: Spool,
        *,
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
        self.instance: SisenseApi | None = None
        self.ledger = PageLog(spool, source.name)
        self.principal = Principal()
        self.count: Endpoint | None = None
        self.accepted: dict[str, int] = {}
        self.overlaps: dict[str, list[list[int]]] = {}
        self.counts: dict[str, int | None] = {"users_before": None, "users_after": None}
        self.settings: dict[str, str] = {}
        self.readings: dict[str, Reading] = {}

    async def run(self) -> SourceOutcome:
        failure: AccessReviewError | None = None
        try:
            async with Client(self.source, clock=self.clock, sleep=self.sleep) as client:
                session = Session(client, self.credentials, on_login=lambda answer: self.ledger.note(answer, "login"))
                self.instance = SisenseApi(client, session, self.ledger.note)
                await self.read(self.instance)
        except (SourceError, ConfigurationError) as error:
            failure = error
        outcome = self.outcome(failure)
        self.spool.write_outcome(outcome)
        if failure is not None:
            raise failure
        return outcome

    async def read(self, instance: SisenseApi) -> None:
        await instance.read_status()
        users = await instance.find_users()
        await _side_by_side(self.read_principal(instance), self.find_count(instance))
        await self.read_list(instance, "users", users, self.count)
        await _side_by_side(self.read_roles(instance), self.read_groups(instance))

    async def read_principal(self, instance: SisenseApi) -> None:
        self.principal = await instance.read_principal()

    async def find_count(self, instance: SisenseApi) -> None:
        self.count = await instance.find_count()

    async def read_groups(self, instance: SisenseApi) -> None:
        groups = await instance.find_groups()
        if groups is not None:
            await self.read_list(instance, "groups", groups, None)

    async def read_list(
        self, instance: SisenseApi, resource: str, endpoint: Endpoint, count: Endpoint | None
    ) -> None:
        self.settings[f"{resource}_path"] = endpoint.path
        self.settings[f"{resource}_query"] = _written(endpoint)
        records = _List(instance, self.ledger, resource, endpoint, count)
        reading = await records.read(self.source, self.progress, self.accepted)
        self.readings[resource] = reading
        self.overlaps[resource] = list(map(list, reading.overlaps))
        self.settings[f"{resource}_page_size"] = str(reading.page_size)
        self.settings[f"{resource}_list"] = "whole" if reading.accepted.is_whole else "paged"
        self.settings[f"{resource}_sweeps"] = str(reading.sweeps)
        if resource == "users":
            self.counts = {"users_before": reading.before, "users_after": reading.after}

    async def read_roles(self, instance: SisenseApi) -> None:
        found = await instance.read_roles()
        if found is None:
            return
        self.ledger.keep(found.answer, found.value, "roles", sweep=1, offset=None)
        self.accepted["roles"] = 1
        self.settings["roles_path"] = found.endpoint.path
        self.settings["roles_query"] = _written(found.endpoint)
        self.progress("roles", found.value.items, found.value.items)

    def outcome(self, failure: AccessReviewError | None) -> SourceOutcome:
        found = SourceOutcome(
            source=self.source.name,
            kind=self.source.kind,
            url=self.source.url,
            principal=self.principal,
            accepted_sweeps=self.accepted,
            overlaps=self.overlaps,
            server_counts=self.counts,
            observations=(*observations(self.readings), self.ledger.records_whole(self.accepted)),
            started_at=timestamp(self.started),
            finished_at=timestamp(self.clock()),
            error=str(failure) if failure else None,
            hint=failure.hint if failure else None,
        )
        if self.instance is None:
            return found
        session, client = self.instance.session, self.instance.client
        return dataclasses.replace(
            found,
            api=self.instance.api,
            version=self.instance.version,
            missing=self.instance.missing,
            clock_skew_seconds=self.instance.skew_seconds,
            settings=self.settings
            | {
                "page_size_asked": str(self.source.page_size),
                "login": session.style or "none",
                "login_path": session.path or "",
                "logins": str(session.logins),
                "requests": str(client.requests),
                "least_concurrency": str(client.narrowest),
                "verify_tls": str(self.source.verify_tls).lower(),
            },
        )


async def _side_by_side(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once and each to its end, so that no failure costs the others; raise the first in order."""
    for ended in await asyncio.gather(*works, return_exceptions=True):
        if ended is not None:
            raise ended


def _written(endpoint: Endpoint) -> str:
    return "&".join(f"{key}={value}" for key, value in endpoint.query.items())
