"""The extract of one Sisense: accounts, roles and groups into the spool, and whether they are complete."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from pipeline.settings import Credentials
from pipeline.sources.extract import Extraction, ExtractJob, run_and_write
from pipeline.sources.page_log import PagePlace
from pipeline.sources.sisense.lists import RestList
from pipeline.sources.sisense.objects import read_objects
from pipeline.sources.sisense.rest import Endpoint, SisenseApi
from pipeline.sources.sisense.session import Session
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
        self._count: Endpoint | None = None
        self._object_checks: list[Observation] = []

    async def read(self, client: Client, extraction: Extraction) -> None:
        """Read everything: the version, the accounts, then roles, groups and objects at the same time."""
        api = self._api = SisenseApi(client, Session(client, self._credentials))
        await api.read_status()
        users = await api.find_users()
        await _all_to_their_ends(self._read_principal(api), self._find_count(api))
        await self._read_list(api, extraction, "users", users, self._count)
        async with _beside(self._read_objects(api, extraction)):
            await _all_to_their_ends(self._read_roles(api, extraction), self._read_groups(api, extraction))

    def complete(self, outcome: SourceOutcome, extraction: Extraction) -> SourceOutcome:
        """Add what the API showed about itself and the caller, and how it was read."""
        outcome = dataclasses.replace(
            outcome,
            principal=self._principal,
            observations=(*outcome.observations, *self._object_checks),
            settings=outcome.settings | {"objects": str(extraction.job.source.objects).lower()},
        )
        if self._api is None:
            return outcome
        session, client, source = self._api.session, self._api.client, extraction.job.source
        return dataclasses.replace(
            outcome,
            api=self._api.flavour,
            version=self._api.version,
            missing=self._api.missing,
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

    async def _read_groups(self, api: SisenseApi, extraction: Extraction) -> None:
        groups = await api.find_groups()
        if groups is not None:
            await self._read_list(api, extraction, "groups", groups, None)

    async def _read_objects(self, api: SisenseApi, extraction: Extraction) -> None:
        if extraction.job.source.objects is not False:
            self._object_checks = await read_objects(api, extraction, extraction.job.row_key)

    async def _read_list(
        self, api: SisenseApi, extraction: Extraction, resource: str, endpoint: Endpoint, count: Endpoint | None
    ) -> None:
        settings = extraction.settings
        settings[f"{resource}_path"] = endpoint.path
        settings[f"{resource}_query"] = _written(endpoint)
        reading = await extraction.read_list(RestList(api, endpoint, count), resource, resource)
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


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine while the block runs, and wait for its end; if the block fails, cancel it."""
    task = asyncio.create_task(work)
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _all_to_their_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently, each to its end even if another fails; then raise the first failure in order."""
    for ended in await asyncio.gather(*works, return_exceptions=True):
        if ended is not None:
            raise ended


def _written(endpoint: Endpoint) -> str:
    return "&".join(f"{key}={value}" for key, value in endpoint.query.items())
