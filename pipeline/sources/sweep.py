"""Sweep: one reading of a list, page by page, and the evidence that it contained every record.

Why overlapping pages prove that no record was missed
-----------------------------------------------------
The pages of a sweep are answers of different moments, and the list may change between them. Adjacent pages share one
record: the last of a page is requested again as the first of the next.

Assume that the records that stay in the list keep their order, as they do under ``sort=_id``. Let ``x`` be a record
that was in the list during the whole sweep, and ``b1, b2, ...`` the shared records in the order of the pages. Take
the first boundary ``b`` that is ``x`` or comes after it. The page that ends with ``b`` begins with the boundary
before, which comes before ``x``. That page is one answer, a contiguous piece of the list at one moment. At that
moment ``x`` was in the list, between the two ends. So ``x`` is in that page. If no boundary comes after ``x``, its
place is behind the last one. But the closing page, requested from the last record on, contains that record alone, so
nothing stood behind it.

The argument does not depend on the order in which the pages were read. A boundary that does not match means that the
list moved between two answers. Then it is read again, until two consecutive readings agree and all boundaries match.

Two cases are outside the argument and therefore need two agreeing readings: a server that gives one record a page,
where no overlap is possible, and an order that is not known to be fixed (keys that do not ascend).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

from pipeline.sources.records import Key, Records
from pipeline.wording import counted

__all__ = ["Boundaries", "Span", "Sweep"]

#: A list without a count that is longer than this is taken as endless; with a count, paging sets a lower limit.
_MOST_RECORDS = 5_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A page with records: its offset, their number, and the keys at its ends, None without a usable id."""

    offset: int
    items: int
    first: Key | None
    last: Key | None
    is_ascending: bool

    @property
    def end(self) -> int:
        """Return the offset behind the last record."""
        return self.offset + self.items


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The boundaries between adjacent pages, counted.

    ``matched`` boundaries share a record; ``mismatched`` ones should and do not. ``open`` ones prove nothing, because
    a page contains one record only or the record at the boundary has no id. ``overlaps`` are the offsets of the pages
    whose first record is the last of the page before; ``nameless`` counts those whose shared record has no id.
    """

    matched: int
    mismatched: int
    open: int
    overlaps: tuple[int, ...]
    nameless: int

    @property
    def expected(self) -> int:
        """Return the number of boundaries."""
        return self.matched + self.mismatched + self.open


@dataclass(slots=True)
class Sweep:
    """One sweep, as far as it was read.

    ``spans`` are the pages with records, ``empty`` the offsets of empty pages; ``reached`` is how far the pages reach
    from 0 without a gap. ``most`` records are the limit; beyond it the sweep halts and ``ran_away`` is set.
    """

    number: int
    ids: set[Key] = field(default_factory=set)
    items: int = 0
    without_id: int = 0
    spans: list[Span] = field(default_factory=list)
    empty: set[int] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    too_long: bool = False
    halted: str | None = None
    ran_away: bool = False
    most: int = _MOST_RECORDS
    is_whole: bool = False
    proof: str | None = None
    distinct_ids: int = 0
    reached: int = 0
    _beyond: list[tuple[int, int]] = field(default_factory=list)
    _singles: set[int] = field(default_factory=set)
    _stale: int = 0

    @property
    def distinct(self) -> int:
        """Return the number of different records, as far as their ids show."""
        return self.distinct_ids + self.without_id - self.boundaries().nameless

    @property
    def repeated(self) -> int:
        """Return how many records came more than once, apart from those that adjacent pages share."""
        return self.items - self.without_id - self.distinct_ids - self.boundaries().matched

    @property
    def has_gap(self) -> bool:
        """Return whether a page with records lies beyond a gap."""
        return bool(self._beyond)

    @property
    def next_offset(self) -> int:
        """Return where to read on: from the last record, or behind it once it came alone."""
        last = self.reached - 1
        return self.reached if not self.spans or last in self._singles or last in self.empty else last

    @property
    def is_at_end(self) -> bool:
        """Return whether the last record came alone, with an empty page behind it."""
        return self.reached in self.empty and self.next_offset == self.reached

    @property
    def is_closed(self) -> bool:
        """Return whether the sweep covers the list: each record once, all boundaries matched, the end seen."""
        if self.unreadable or self.halted or self.repeated:
            return False
        if self.is_whole:
            return self.proof is not None
        return not self.has_gap and self.is_at_end and not self.boundaries().mismatched

    @property
    def is_ascending(self) -> bool:
        """Return whether the keys ascend through all pages, which shows a fixed order."""
        return all(span.is_ascending for span in self.spans) and all(
            _ascend(before.last, after.first) for before, after in pairwise(self._in_order())
        )

    @property
    def is_echo(self) -> bool:
        """Return whether all pages repeat the same records, as if ``skip`` were ignored."""
        if len(self.spans) < 2:
            return self.too_long
        return self.repeated > 0 and self.distinct_ids <= max(span.items for span in self.spans)

    def same_as(self, other: Sweep) -> bool:
        """Return whether two sweeps contain the same records."""
        return self.ids == other.ids and self.distinct == other.distinct

    def boundaries(self) -> Boundaries:
        """Compare the ends of adjacent pages. A list in one answer has no boundaries."""
        matched = mismatched = uncertain = nameless = 0
        overlaps: list[int] = []
        spans = [] if self.is_whole else self._in_order()
        for before, after in pairwise(spans):
            shared = before.end - after.offset
            if before.offset == after.offset:  # read twice, and either of them may be the right one
                mismatched += 1
            elif shared == 1 and before.last == after.first:
                overlaps.append(after.offset)
                matched += before.last is not None
                uncertain += before.last is None
                nameless += before.last is None
            elif shared == 0:
                uncertain += 1
            elif shared > 0:  # a gap is reported as such, not as a boundary
                mismatched += 1
        if spans and spans[-1].items > 1 and spans[-1].end - 1 in self.empty:
            mismatched += 1  # the last record was gone when it was requested again
        return Boundaries(matched, mismatched, uncertain, tuple(overlaps), nameless)

    def take(self, offset: int, records: Records, patience: int) -> None:
        """Add a page; halt the sweep after more than ``patience`` pages in a row without a new record."""
        if not records.items:
            self.empty.add(offset)
            return
        self.ids.update(records.ids)
        new = len(self.ids) - self.distinct_ids
        self.distinct_ids += new
        self.items += records.items
        self.without_id += records.without_id
        keys = records.keys
        self._add(Span(offset, records.items, keys[0], keys[-1], _is_ascending(keys)))
        self._stale = 0 if new else self._stale + 1
        if self._stale > patience:
            self.halted = f"{counted(self._stale, 'page')} in a row contained no new record"
        elif self.distinct_ids + self.without_id > self.most:
            self.halted, self.ran_away = f"more than {counted(self.most, 'record')} came", True

    def forget_ids(self) -> None:
        """Free the ids, which take most of the memory, once no other sweep is compared with this one."""
        self.ids = set()

    def _add(self, span: Span) -> None:
        """Add a page, and move ``reached`` over every page that now follows without a gap."""
        self.spans.append(span)
        if span.items == 1:
            self._singles.add(span.offset)
        heappush(self._beyond, (span.offset, span.end))
        while self._beyond and self._beyond[0][0] <= self.reached:
            self.reached = max(self.reached, heappop(self._beyond)[1])

    def _in_order(self) -> list[Span]:
        return sorted(self.spans, key=lambda span: (span.offset, span.items))


def _is_ascending(keys: tuple[Key | None, ...]) -> bool:
    try:
        return list(keys) == sorted(keys)  # type: ignore[type-var]  # TypeError: int and str keys have no order
    except TypeError:
        return False


def _ascend(before: Key | None, after: Key | None) -> bool:
    try:
        return before <= after  # type: ignore[operator]  # TypeError, as above
    except TypeError:
        return False
