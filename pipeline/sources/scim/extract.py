"""The extract of one SCIM endpoint: the users and groups that it tells of, into the spool.

How a list is read, and how its end is proven, is :mod:`pipeline.sources.paging`'s, as for Sisense.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, SourceError
from pipeline.settings import Secret, SourceSettings
from pipeline.sources.completeness import observations
from pipeline.sources.connection import Answer
from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.lists import LedgerList, Progress
from pipeline.sources.page_log import PageLog, timestamp
from pipeline.sources.paging import Reading
from pipeline.sources.records import Records
from pipeline.sources.scim.endpoint import ScimEndpoint, address, operations
from pipeline.sources.transport import Client, Sleep
from pipeline.spool import Observation, SourceOutcome, Spool

__all__ = ["beside", "extract"]


class _List(LedgerList):
    def __init__(self, endpoint: ScimEndpoint, ledger: PageLog, resource: str, path: str) -> None:
        super().__init__(ledger, resource)
        self._endpoint = endpoint
        self._path = path
        self.strays: Counter[str] = Counter()

    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        answer, page = await self._endpoint.list(self._path, offset + 1, limit)
        self.strays.update(page.strays)
        return answer, page.records

    async def count(self) -> int | None:
        try:
            answer, page = await self._endpoint.total(self._path)
        except (RefusedError, UnreadableError):
            return None
        self.ledger.note(answer, f"{self.resource}_count")
        return page.total


def extract(
    source: SourceSettings,
    token: Secret,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> SourceOutcome:
    """Read a source of kind ``scim`` into the spool, like :func:`pipeline.sources.sisense.extract.extract`.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    outcome, failure = asyncio.run(_Extract(source, token, spool, progress, clock, sleep).run())
    spool.write_outcome(outcome)
    if failure is not None:
        raise failure
    return outcome


def beside(
    source: SourceSettings,
    token: Secret,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Read the SCIM endpoint beside a Sisense that was read, and add what became of it to that one's outcome.

    Raises:
        SourceError: it failed; the outcome says so, and the extract is not complete.
    """
    at = address(source)
    found, failure = asyncio.run(_Extract(at, token, spool, progress, clock, sleep).run())
    main = next(outcome for outcome in spool.outcomes() if outcome.source == source.name)
    spool.write_outcome(
        dataclasses.replace(
            main,
            accepted_sweeps=main.accepted_sweeps | found.accepted_sweeps,
            overlaps=main.overlaps | found.overlaps,
            server_counts=main.server_counts | {"scim_users": found.server_counts["users_after"]},
            missing=main.missing | found.missing,
            settings=main.settings
            | {"scim_url": at.url}
            | {key if key.startswith("scim_") else f"scim_{key}": value for key, value in found.settings.items()},
            observations=(*main.observations, *map(_of_scim, found.observations)),
            error=main.error or found.error,
            hint=main.hint or found.hint,
        )
    )
    if failure is not None:
        raise failure


class _Extract:
    def __init__(
        self, source: SourceSettings, token: Secret, spool: Spool, progress: Progress, clock: Clock, sleep: Sleep
    ) -> None:
        self.source = source
        self.token = token
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self.started = clock()
        self.ledger = PageLog(spool, source.name)
        self.readings: dict[str, Reading] = {}
        self.accepted: dict[str, int] = {}
        self.overlaps: dict[str, list[list[int]]] = {}
        self.strays: Counter[str] = Counter()
        self.settings: dict[str, str] = {"page_size_asked": str(source.page_size)}
        self.missing: dict[str, str] = {}
        self.skew: float | None = None

    async def run(self) -> tuple[SourceOutcome, AccessReviewError | None]:
        failure: AccessReviewError | None = None
        try:
            async with Client(self.source, clock=self.clock, sleep=self.sleep) as client:
                await self.read(ScimEndpoint(client, self.token))
                self.settings["requests"] = str(client.requests)
        except (SourceError, ConfigurationError) as error:
            failure = error
        users = self.readings.get("users")
        return (
            SourceOutcome(
                source=self.source.name,
                kind="scim",
                url=self.source.url,
                api="scim 2.0",
                accepted_sweeps=self.accepted,
                overlaps=self.overlaps,
                server_counts={
                    "users_before": users.before if users else None,
                    "users_after": users.after if users else None,
                },
                missing=self.missing,
                settings=self.settings,
                clock_skew_seconds=self.skew,
                observations=(
                    *observations(self.readings),
                    self.ledger.records_whole(self.accepted),
                    *self.deviations(),
                ),
                started_at=timestamp(self.started),
                finished_at=timestamp(self.clock()),
                error=str(failure) if failure else None,
                hint=failure.hint if failure else None,
            ),
            failure,
        )

    async def read(self, endpoint: ScimEndpoint) -> None:
        await endpoint.first("/Users")
        found = await endpoint.configuration()
        if found is None:
            self.missing["ServiceProviderConfig"] = "which operations the endpoint supports is unknown"
        else:
            answer, document = found
            self.ledger.note(answer, "scim_config")
            self.skew = answer.skew_seconds
            self.settings |= {
                f"scim_{name}": str(is_on).lower() for name, is_on in (operations(document) or {}).items()
            }
        await self.read_list(endpoint, "users", "/Users")
        await self.read_list(endpoint, "groups", "/Groups")

    async def read_list(self, endpoint: ScimEndpoint, things: str, path: str) -> None:
        resource = f"scim_{things}"
        records = _List(endpoint, self.ledger, resource, path)
        try:
            reading = await records.read(self.source, self.progress, self.accepted)
        finally:
            self.strays.update({f"{things}: {stray}": count for stray, count in records.strays.items()})
        self.readings[things] = reading
        self.overlaps[resource] = list(map(list, reading.overlaps))
        self.settings[f"{resource}_page_size"] = str(reading.page_size)
        self.settings[f"{resource}_sweeps"] = str(reading.sweeps)

    def deviations(self) -> tuple[Observation, ...]:
        """Return whether each list holds what its server counts, and what in the answers RFC 7644 does not allow."""
        total = sum(self.strays.values())
        listed = "; ".join(f"{count} x {stray}" for stray, count in sorted(self.strays.items()))
        return (
            *(_counted(things, reading) for things, reading in self.readings.items()),
            Observation(
                check_id="scim_as_specified",
                description="Every answer is what RFC 7644 says it should be",
                expected="0",
                observed=str(total),
                difference=total,
                result="FAIL" if total else "PASS",
                explanation=f"Read all the same: {listed}." if total else "No answer strayed from RFC 7644.",
                is_gate=False,
            ),
        )


def _counted(things: str, reading: Reading) -> Observation:
    sweep = reading.accepted
    read = sweep.distinct_ids
    said = reading.after
    words = f"The endpoint counts {said} {things}, and {read} with an id were read."
    return Observation(
        check_id=f"scim_{things}_counted",
        description=f"The SCIM endpoint's own count of {things} equals those that were read",
        expected=None if said is None else str(said),
        observed=str(read),
        difference=None if said is None else read - said,
        result="NOT_AVAILABLE" if said is None and not sweep.without_id else "PASS" if read == said else "FAIL",
        explanation=words if said is not None else f"The endpoint has no count of {things}; {read} were read.",
    )


def _of_scim(seen: Observation) -> Observation:
    if seen.check_id.startswith("scim_"):
        return seen
    return dataclasses.replace(seen, check_id=f"scim_{seen.check_id}", description=f"By SCIM: {seen.description}")
