"""What the lists of objects have in common: reading pages, and many single requests at once.

No failure here ends the extract: a list that cannot be read is described by its checks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from pipeline.errors import AccessReviewError
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.extract import Extraction
from pipeline.sources.page_log import PagePlace
from pipeline.sources.paging import Reading, ReadPage, read_list, run_workers
from pipeline.sources.records import Key, Records, read_json, without_secrets
from pipeline.sources.sisense.object_checks import Asked
from pipeline.sources.sisense.object_records import Record, rows_of
from pipeline.sources.sisense.rest import SisenseApi

__all__ = [
    "ObjectApi",
    "ObjectPage",
    "PagedObjects",
    "choose",
    "read_object",
]

_T = TypeVar("_T")
#: Attempts for one request. An endpoint that fails must not delay the extract of accounts for long.
_ATTEMPTS = 4
_UNKNOWN_KEYS = frozenset({400, 422})
#: Records that a probe asks for: enough to see whether records have shares.
_SAMPLE = 5


@dataclass(slots=True)
class ObjectPage:
    """One page of the accepted reading, with its records as they will be kept, without the overlap."""

    answer: Reply
    sha256: str
    offset: int | None
    rows: list[Record]

    @classmethod
    def of(cls, answer: Reply, rows: list[Record]) -> ObjectPage:
        """Return the page of a list that comes in one answer."""
        return cls(answer, hashlib.sha256(answer.body).hexdigest(), None, rows)


@dataclass(frozen=True, slots=True)
class PagedObjects:
    """A paged list of objects (see :class:`~pipeline.sources.paging.PagedList`). It has no count."""

    api: ObjectApi
    path: str
    query: Mapping[str, str]
    keep: Callable[[Record], Record]
    skip_key: str = "skip"
    limit_key: str = "limit"

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records]:
        """Request one page."""
        query: dict[str, str | int] = {self.skip_key: offset, self.limit_key: limit, **self.query}
        return await self.api.get(self.path, self.read, query)

    async def count(self) -> int | None:
        """Return None: these lists have no count."""
        return None

    def read(self, answer: Reply) -> Records:
        """Read a page, and keep the named keys of its records only."""
        rows = [{} if row is None else self.keep(row) for row in rows_of(answer.body)]
        kept = self.api.written(rows)
        return Records(tuple(map(_key, rows)), kept, True, hashlib.sha256(answer.body).hexdigest())


class ObjectApi:
    """Sends the requests about objects, and records what came.

    ``row_key`` is the key of the hashes of row values.
    """

    def __init__(self, api: SisenseApi, extraction: Extraction, row_key: bytes) -> None:
        self.row_key = row_key
        self.page_size = api.client.source.page_size
        self._api = api
        self._extraction = extraction
        self._concurrency = api.client.source.concurrency
        self._sweeps: dict[str, int] = {}

    async def get(
        self,
        path: str,
        read: Callable[[Reply], _T],
        query: Mapping[str, str | int] | None = None,
        *,
        is_private: bool = False,
    ) -> tuple[Reply, _T]:
        """Send one request. The words of a private answer are in no error.

        Raises:
            SourceError: there was no usable answer.
        """
        request = Request(path, query, is_private=is_private)
        return await self._api.client.fetch(request, read, authority=self._api.session, attempts=_ATTEMPTS)

    def written(self, rows: list[Record]) -> bytes:
        """Return records as they are kept: as JSON, without credentials."""
        return without_secrets(rows, self._api.client.redaction.secrets)

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Report progress."""
        self._extraction.job.advance(what, done, total)

    def note_answer(self, answer: Reply, resource: str) -> None:
        """Record an answer of which nothing is kept as it came."""
        self._extraction.page_log.record(answer, resource)

    def keep(self, resource: str, pages: Iterable[ObjectPage]) -> None:
        """Keep the pages of the accepted sweep, which is the first one in the spool."""
        for page in pages:
            records = Records((None,) * len(page.rows), self.written(page.rows), True, page.sha256)
            self._extraction.page_log.record_page(page.answer, records, PagePlace(resource, 1, page.offset))
        self._extraction.accepted[resource] = 1

    async def read_pages(
        self, paged: PagedObjects, resource: str, what: str
    ) -> tuple[list[ObjectPage], Reading | None, AccessReviewError | None]:
        """Read a paged list; return the pages of the accepted sweep, what they prove, and the failure if one came.

        Other sweeps are kept as evidence. After a failure, the sweep with most records is the accepted one.
        """
        sweeps: dict[int, list[ReadPage]] = {}

        def collect(page: ReadPage) -> None:
            if page.counts:
                sweeps.setdefault(page.sweep, []).append(page)
            else:
                self.note_answer(page.answer, resource)

        reading, failure = None, None
        try:
            reading = await read_list(
                paged,
                collect,
                page_size=self.page_size,
                workers=self._concurrency,
                progress=lambda done, total: self.advance(what, done, total),
            )
            accepted = reading.accepted.number
        except AccessReviewError as error:
            failure = error
            totals = {number: sum(page.records.items for page in pages) for number, pages in sweeps.items()}
            accepted = max(totals, key=lambda number: totals[number], default=0)
        for number in sorted(sweeps):
            if number != accepted:
                self._sweeps[resource] = self._sweeps.get(resource, 1) + 1
                for page in sweeps[number]:
                    place = PagePlace(resource, self._sweeps[resource], page.offset)
                    self._extraction.page_log.record_page(page.answer, page.records, place)
        return _without_overlaps(sweeps.get(accepted, [])), reading, failure

    async def for_each(self, things: Sequence[_T], work: Callable[[_T], Awaitable[None]], asked: Asked) -> None:
        """Do work for each thing, several at once, until ``asked`` says that more would only fail."""
        left = iter(things)

        async def worker() -> None:
            for thing in left:
                if asked.is_over:
                    return
                await work(thing)

        # Two more than requests at once: while one works on its answer, another's request waits for its turn.
        await run_workers(worker, self._concurrency + 2)


async def choose(
    api: ObjectApi, paged: Sequence[PagedObjects], *, wants_shares: bool
) -> tuple[PagedObjects | None, AccessReviewError | None]:
    """Return the first list that the server accepts; with ``wants_shares``, prefer one whose records have shares.

    If there is none, the error that says why is returned. An address counts as absent after two refusals.
    """
    accepted: PagedObjects | None = None
    failure: AccessReviewError | None = None
    refusals = 0
    for candidate in paged:
        while True:
            try:
                answer, records = await candidate.page(0, _SAMPLE)
            except RefusedError as error:
                failure = failure or error
                if error.status in _UNKNOWN_KEYS:
                    break
                refusals += 1
                if refusals < 2:
                    continue
                return accepted, failure
            except AccessReviewError as error:
                return accepted, error
            api.note_answer(answer, "probe")
            rows = rows_of(records.kept)
            if not rows or not wants_shares or any(row and isinstance(row.get("shares"), list) for row in rows):
                return candidate, None
            accepted = accepted or candidate
            break
    return accepted, failure


def _key(row: Record) -> Key | None:
    """Return the id of a kept record for paging. A copy has an id of its own, so that it is no repetition."""
    found = row.get("oid") or row.get("_id")
    if found is None:
        return None
    return f"{found}/{row['copyOf']}" if row.get("isCopy") else str(found)


def _object_page(page: ReadPage) -> ObjectPage:
    return ObjectPage(page.answer, page.records.sha256, page.offset, orjson.loads(page.records.kept))


def _without_overlaps(pages: list[ReadPage]) -> list[ObjectPage]:
    """Return pages in the order of the list, each without a first record that is the last of the page before."""
    found: list[ObjectPage] = []
    end, last = 0, None
    for page in sorted(pages, key=lambda page: (page.offset, page.records.items)):
        kept = _object_page(page)
        keys = page.records.keys
        if keys and found and page.offset == end - 1 and keys[0] == last:
            del kept.rows[0]
        if keys:
            end, last = page.offset + len(keys), keys[-1]
        found.append(kept)
    return found


def read_object(answer: Reply) -> Record:
    """Read an answer that must be an object, or a list with one object.

    Raises:
        BadAnswerError: it is something else.
    """
    document = read_json(answer.body)
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        raise BadAnswerError("the answer is not an object")
    return document
