"""The extract of one source, as far as it is the same for every kind of source.

A kind of source (:mod:`pipeline.sources.sisense`, :mod:`pipeline.sources.scim`, and those to come) implements
:class:`SourceReader`: it reads its lists through an :class:`Extraction`, and adds to the outcome what only it knows.
The rest is here: the client, the page log, the completeness of each list, the outcome in the spool, and failures.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, SourceError
from pipeline.settings import SourceSettings
from pipeline.sources import completeness, event_loop
from pipeline.sources.page_log import PageLog, PagePlace, timestamp
from pipeline.sources.paging import PagedList, Reading, ReadPage, read_list
from pipeline.sources.retries import Sleep
from pipeline.sources.transport import Client
from pipeline.spool import SourceOutcome, Spool

__all__ = ["Advance", "ExtractJob", "Extraction", "SourceReader", "run", "run_and_write"]

#: Receives a resource, how many records of it were read, and the total, None if it is not known.
Advance = Callable[[str, int, int | None], None]


class SourceReader(Protocol):
    """One kind of source."""

    async def read(self, client: Client, extraction: Extraction) -> None:
        """Read everything. Raises ``SourceError`` if the source fails."""

    def complete(self, outcome: SourceOutcome, extraction: Extraction) -> SourceOutcome:
        """Return the outcome with what only this kind of source knows, also after a failure."""


@dataclass(frozen=True, slots=True)
class ExtractJob:
    """The source of an extract and its spool. Clock and sleep are parameters, so that tests need not wait.

    ``row_key`` is the key of the hashes that stand for values of row rules; ``note`` receives warnings. ``shard`` is
    the part of the accounts to read, as ``2/5``; None reads everything.
    """

    source: SourceSettings
    spool: Spool
    advance: Advance
    clock: Clock = utc_now
    sleep: Sleep = asyncio.sleep
    row_key: bytes = b""
    note: Callable[[str], None] = lambda _: None
    shard: str | None = None

    @property
    def is_first_shard(self) -> bool:
        """Return whether this extract reads what only one shard has to read."""
        return self.shard is None or self.shard.startswith("1/")


class Extraction:
    """The results so far. Lists are keyed by what they contain (``users``), resources by where they are landed."""

    def __init__(self, job: ExtractJob) -> None:
        self.job = job
        self.page_log = PageLog(job.source.name, job.spool)
        self.readings: dict[str, Reading] = {}
        self.accepted: dict[str, int] = {}
        self.overlaps: dict[str, list[list[int]]] = {}
        self.settings: dict[str, str] = {}
        self._started = job.clock()

    async def read_list(
        self, paged: PagedList, things: str, resource: str, *, is_size_known: bool = False, first: int = 0
    ) -> Reading:
        """Read a list to its end. If that fails, the sweep with most records is the accepted one.

        ``is_size_known`` is that of :func:`~pipeline.sources.paging.read_list`; ``first`` is the place in the whole
        list of the first record of a range.

        Raises:
            SourceError: the list could not be read to its end.
        """
        kept: Counter[int] = Counter()

        def keep(page: ReadPage) -> None:
            place = PagePlace(resource, page.sweep, first + page.offset)
            self.page_log.record_page(page.answer, page.records, place, keep=page.counts)
            if page.counts:
                kept[page.sweep] += page.records.items

        try:
            reading = await read_list(
                paged,
                keep,
                page_size=self.job.source.page_size,
                workers=self.job.source.concurrency,
                progress=lambda items, total: self.job.advance(resource, items, total),
                is_size_known=is_size_known,
            )
        except SourceError:
            if kept:
                self.accepted[resource] = kept.most_common(1)[0][0]
            raise
        self.accepted[resource] = reading.accepted.number
        self.readings[things] = reading
        self.overlaps[resource] = [[first + offset for offset in offsets] for offsets in reading.overlaps]
        return reading

    def outcome(self, failure: AccessReviewError | None) -> SourceOutcome:
        """Return the outcome as far as every kind of source has it."""
        users = self.readings.get("users")
        return SourceOutcome(
            source=self.job.source.name,
            kind=self.job.source.kind,
            url=self.job.source.url,
            accepted_sweeps=self.accepted,
            overlaps=self.overlaps,
            server_counts={
                "users_before": users.before if users else None,
                "users_after": users.after if users else None,
            },
            observations=(
                *completeness.observations(self.readings),
                completeness.records_whole(self.page_log.cut_records(self.accepted)),
            ),
            started_at=timestamp(self._started),
            finished_at=timestamp(self.job.clock()),
            error=str(failure) if failure else None,
            hint=failure.hint if failure else None,
        )


def run(job: ExtractJob, reader: SourceReader) -> tuple[SourceOutcome, AccessReviewError | None]:
    """Read one source into the spool; return its outcome, and the failure that ended it if there was one."""
    gc.freeze()  # nothing here becomes garbage soon; looking through it repeatedly would delay every page
    try:
        return event_loop.run(_run(job, reader))
    finally:
        gc.unfreeze()


def run_and_write(job: ExtractJob, reader: SourceReader) -> SourceOutcome:
    """Read one source into the spool, write its outcome there, and return it.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    outcome, failure = run(job, reader)
    job.spool.write_outcome(outcome)
    if failure is not None:
        raise failure
    return outcome


async def _run(job: ExtractJob, reader: SourceReader) -> tuple[SourceOutcome, AccessReviewError | None]:
    extraction = Extraction(job)
    failure: AccessReviewError | None = None
    try:
        async with Client(job.source, clock=job.clock, sleep=job.sleep, page_log=extraction.page_log) as client:
            await reader.read(client, extraction)
    except (SourceError, ConfigurationError) as error:
        failure = error
    return reader.complete(extraction.outcome(failure), extraction), failure
