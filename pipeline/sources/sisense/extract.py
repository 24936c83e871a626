"""The extract of one Sisense: accounts, roles and groups into the spool, and whether they are complete."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from pipeline.errors import SourceError
from pipeline.settings import Credentials
from pipeline.sources.beside import beside
from pipeline.sources.extract import Extraction, ExtractJob, run_and_write
from pipeline.sources.page_log import PagePlace
from pipeline.sources.records import Records
from pipeline.sources.sisense.lists import RestList
from pipeline.sources.sisense.objects import read_objects
from pipeline.sources.sisense.rest import Endpoint, Found, SisenseApi
from pipeline.sources.sisense.session import Session
from pipeline.sources.sisense.shards import Shard, ShardList
from pipeline.sources.transport import Client
from pipeline.spool import Observation, Principal, SourceOutcome

__all__ = ["extract"]


def extract(job: ExtractJob, credentials: Credentials) -> SourceOutcome:
    """Read one Sisense into the spool; return its outcome, which is in the spool too.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    return run_and_write(job, _SisenseReader(credentials))


class _SisenseReader:
    """Reads accounts, roles and groups (see :class:`~pipeline.sources.extract.SourceReader`)."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._api: SisenseApi | None = None
        self._principal = Principal()
        self._count: Found[int] | None = None
        self._object_checks: list[Observation] = []
        self._range: ShardList | None = None

    async def read(self, client: Client, extraction: Extraction) -> None:
        """Read everything. What does not depend on each other is requested at the same time.

        The list of accounts comes after the server's count of them; roles, groups and objects are read beside it.
        The failure that is raised is the first in the order of the calls here. The first shard alone reads groups and
        objects.
        """
        job = extraction.job
        shard = Shard.parse(job.shard) if job.shard is not None else None
        api = self._api = SisenseApi(client, Session(client, self._credentials))
        async with beside() as start:
            status = start(api.read_status())
            if client.has_proxy_credential:
                await status
            probe = start(api.find_users(extraction.job.source.page_size))
            caller, count = start(self._read_principal(api)), start(self._find_count(api))
            roles = start(self._read_roles(api, extraction))
            objects = start(self._read_objects(api, extraction) if job.is_first_shard else _nothing())
            await _all_in_order(status, probe, caller, count)
            groups = start(self._read_groups(api, extraction, probe.result()) if job.is_first_shard else _nothing())
            failure: SourceError | None = None
            try:
                await self._read_accounts(api, extraction, probe.result(), shard)
            except SourceError as error:
                failure = error
            await asyncio.wait([roles, groups])  # each to its end, even if another list fails
            if failure is not None:
                raise failure
            await _all_in_order(roles, groups, objects)

    def complete(self, outcome: SourceOutcome, extraction: Extraction) -> SourceOutcome:
        """Add what the API showed about itself and the caller, and how it was read."""
        checks = [*outcome.observations, *self._object_checks]
        counts = outcome.server_counts
        if self._range is not None:
            checks, counts = self._range.proof(checks, extraction.readings.get("users")), self._range.counts
        outcome = dataclasses.replace(
            outcome,
            principal=self._principal,
            server_counts=counts,
            observations=tuple(checks),
            settings=outcome.settings | {"objects": str(extraction.job.source.objects).lower()},
        )
        if self._api is None:
            return outcome
        session, client, source = self._api.session, self._api.client, extraction.job.source
        return dataclasses.replace(
            outcome,
            api=self._api.flavour,
            version=self._api.version,
            missing=self._api.missing if self._api.client.has_answered else {},
            clock_skew_seconds=self._api.skew_seconds,
            settings=outcome.settings
            | extraction.settings
            | {
                "page_size_asked": str(source.page_size),
                "login": session.style or "none",
                "login_path": session.path or "",
                "logins": str(session.logins),
                "requests": str(client.requests),
                "least_concurrency": str(client.limiter.lowest),
                "verify_tls": str(source.verify_tls).lower(),
            },
        )

    async def _read_principal(self, api: SisenseApi) -> None:
        self._principal = await api.read_principal()

    async def _find_count(self, api: SisenseApi) -> None:
        self._count = await api.find_count()

    async def _read_accounts(
        self, api: SisenseApi, extraction: Extraction, probe: Found[Records], shard: Shard | None
    ) -> None:
        users = RestList(api, probe.endpoint, self._count)
        size = extraction.job.source.page_size
        # a page that is neither longer than requested nor shorter than the list: the server honours the size
        is_size_known = self._count is not None and 0 < min(size, self._count.value) == probe.value.items
        if shard is None:
            await self._read_list(extraction, "users", users, is_size_known=is_size_known)
            return
        self._range = ShardList(users, shard, self._count.value if self._count is not None else None, size)
        await self._read_list(extraction, "users", self._range, is_size_known=is_size_known, first=self._range.first)
        extraction.settings |= self._range.settings(extraction.readings["users"])

    async def _read_groups(self, api: SisenseApi, extraction: Extraction, users: Found[Records]) -> None:
        probe = await api.find_groups(users.page["limit"])  # the size that the server accepts
        if probe is not None:
            await self._read_list(extraction, "groups", RestList(api, probe.endpoint, None, probe))

    async def _read_objects(self, api: SisenseApi, extraction: Extraction) -> None:
        if extraction.job.source.objects is not False:
            self._object_checks = await read_objects(api, extraction, extraction.job.row_key)

    async def _read_list(
        self,
        extraction: Extraction,
        resource: str,
        paged: RestList | ShardList,
        *,
        is_size_known: bool = False,
        first: int = 0,
    ) -> None:
        settings = extraction.settings
        settings[f"{resource}_path"] = paged.endpoint.path
        settings[f"{resource}_query"] = _written(paged.endpoint)
        reading = await extraction.read_list(paged, resource, resource, is_size_known=is_size_known, first=first)
        settings[f"{resource}_page_size"] = str(reading.page_size)
        settings[f"{resource}_list"] = "whole" if reading.accepted.is_whole else "paged"
        settings[f"{resource}_sweeps"] = str(reading.sweeps)

    async def _read_roles(self, api: SisenseApi, extraction: Extraction) -> None:
        found = await api.read_roles()
        if found is None:
            return
        extraction.page_log.record_page(found.answer, found.value, PagePlace("roles"))
        extraction.accepted["roles"] = 1
        extraction.settings["roles_path"] = found.endpoint.path
        extraction.settings["roles_query"] = _written(found.endpoint)
        extraction.job.advance("roles", found.value.items, found.value.items)


async def _all_in_order(*tasks: asyncio.Task[Any]) -> None:
    """Wait for tasks in order, so that of several failures the first in order is raised."""
    for task in tasks:
        await task


async def _nothing() -> None:
    """Read nothing: another shard does."""


def _written(endpoint: Endpoint) -> str:
    return "&".join(f"{key}={value}" for key, value in endpoint.query.items())
