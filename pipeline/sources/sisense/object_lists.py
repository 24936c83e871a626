"""What the lists of objects have in common: reading pages, many single requests at once, and what was proven.

No failure here ends the extract: a list that cannot be read is described by its checks, which never decide between
FULL and PARTIAL for the accounts.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import orjson

from pipeline.errors import AccessReviewError
from pipeline.sources.completeness import end_proven, pages_overlap
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.extract import Extraction
from pipeline.sources.page_log import PagePlace
from pipeline.sources.paging import Reading, ReadPage, read_list, run_workers
from pipeline.sources.records import Key, Records, read_json, without_secrets
from pipeline.sources.sisense.object_records import Record, rows_of
from pipeline.sources.sisense.rest import SisenseApi
from pipeline.spool import Observation
from pipeline.wording import counted

__all__ = [
    "Asked",
    "ListReport",
    "ObjectApi",
    "ObjectPage",
    "PagedObjects",
    "parts_read",
    "read_object",
    "reason",
]

_T = TypeVar("_T")
#: Attempts for one request. An endpoint that fails must not delay the extract of accounts for long.
_ATTEMPTS = 4
#: So many refusals without one answer mean that an endpoint is not there, or not for the caller.
_REFUSALS = 6
#: So many failures in a row, of any kind but a refusal, end the requests.
_FAILURES = 4
_MOST_NAMED = 3
_EXPECTED: dict[str, str] = {
    "read": "The list could be read",
    "end_proven": "The pages cover the list without a gap, and its end is proven",
    "pages_overlap": "The last record on a page is the first on the next page",
    "ids_present": "Every record has an id",
    "complete": "Every part of the list could be read",
}


@dataclass(slots=True)
class ListReport:
    """What was read of one list: ``dashboards``, ``models`` and so on."""

    name: str
    checks: list[Observation] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Return FULL, PARTIAL or NOT_AVAILABLE, as ``graph.object_lists`` will say it."""
        if any(check.result == "FAIL" for check in self.checks):
            return "PARTIAL"
        is_absent = any(
            check.result == "NOT_AVAILABLE" and check.check_id == f"{self.name}_read" for check in self.checks
        )
        return "NOT_AVAILABLE" if is_absent else "FULL"

    @property
    def explanation(self) -> str:
        """Return why the list is not FULL; empty if it is."""
        texts = [check.explanation for check in self.checks if check.result == "FAIL"]
        if not texts and self.state == "NOT_AVAILABLE":
            texts = [check.explanation for check in self.checks if check.result == "NOT_AVAILABLE"]
        return " ".join(texts)

    def add(
        self,
        check: str,
        result: Literal["PASS", "FAIL", "NOT_AVAILABLE"],
        explanation: str,
        *,
        expected: int | None = None,
        observed: int | None = None,
    ) -> None:
        """Add a check. ``check`` is the end of its id, which begins with the name of the list."""
        self.checks.append(
            Observation(
                check_id=f"{self.name}_{check}",
                description=_EXPECTED.get(check, _EXPECTED["complete"]),
                expected=None if expected is None else str(expected),
                observed=None if observed is None else str(observed),
                difference=None if expected is None or observed is None else observed - expected,
                result=result,
                explanation=explanation,
                is_gate=False,
            )
        )

    def absent(self, explanation: str) -> ListReport:
        """Say that the list is not available, and return the report."""
        self.add("read", "NOT_AVAILABLE", explanation)
        return self

    def add_reading(self, things: str, reading: Reading, number: str = "") -> None:
        """Add what paging proved. ``number`` distinguishes several paged lists of one report."""
        for check in (
            end_proven(f"{self.name}_end_proven{number}", things, reading),
            pages_overlap(f"{self.name}_pages_overlap{number}", things, reading),
        ):
            self.checks.append(dataclasses.replace(check, is_gate=False))


@dataclass(slots=True)
class Asked:
    """How many single requests of one kind succeeded, and whether it is worth sending more."""

    succeeded: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    last_reason: str = ""
    _in_a_row: int = 0

    @property
    def is_over(self) -> bool:
        """Return whether further requests would only fail, too."""
        return self._in_a_row >= _FAILURES or (not self.succeeded and self.refused >= _REFUSALS)

    @property
    def is_absent(self) -> bool:
        """Return whether the endpoint gave nothing, and refused what was asked."""
        return not self.succeeded and bool(self.refused)

    def succeed(self) -> None:
        """Count an answer."""
        self.succeeded += 1
        self._in_a_row = 0

    def fail(self, name: str, error: AccessReviewError) -> None:
        """Count a failure of the thing with this name."""
        self.failed.append(name)
        self.last_reason = reason(error)
        if isinstance(error, RefusedError):
            self.refused += 1
        else:
            self._in_a_row += 1

    @property
    def named(self) -> str:
        """Name some of the things that failed."""
        shown = ", ".join(f"'{name}'" for name in self.failed[:_MOST_NAMED])
        return shown + (f" and {len(self.failed) - _MOST_NAMED} more" if self.failed[_MOST_NAMED:] else "")


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
        self._workers = api.client.source.concurrency + 2
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

    def keep(self, resource: str, pages: Iterable[ObjectPage], sweep: int = 1) -> None:
        """Keep pages of records in the spool; those of the first sweep are accepted."""
        for page in pages:
            records = Records((None,) * len(page.rows), self.written(page.rows), True, page.sha256)
            self._extraction.page_log.record_page(page.answer, records, PagePlace(resource, sweep, page.offset))
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
                workers=self._workers - 2,
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
                self.keep(resource, map(_object_page, sweeps[number]), self._sweeps[resource])
        return _without_overlaps(sweeps.get(accepted, [])), reading, failure

    async def for_each(self, things: Sequence[_T], work: Callable[[_T], Awaitable[None]], asked: Asked) -> None:
        """Do work for each thing, several at once, until ``asked`` says that more would only fail."""
        left = iter(things)

        async def worker() -> None:
            for thing in left:
                if asked.is_over:
                    return
                await work(thing)

        await run_workers(worker, self._workers)


def reason(error: AccessReviewError) -> str:
    """Return the message of an error as a sentence."""
    text = error.message.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def parts_read(report: ListReport, check: str, things: str, asked: Asked, total: int) -> None:
    """Add the check that the single requests for all ``things`` (a singular noun) were answered."""
    missing = total - asked.succeeded
    if not missing:
        report.add(check, "PASS", f"Read for {counted(total, things)}.", expected=total, observed=asked.succeeded)
        return
    report.add(
        check,
        "FAIL",
        f"Not read for {counted(missing, things)}, such as {asked.named}. {asked.last_reason}",
        expected=total,
        observed=asked.succeeded,
    )


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
