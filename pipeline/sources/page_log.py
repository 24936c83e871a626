"""The page log: one line a request in the spool's journal, and the body beside it if it holds records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.sources.exchange import Reply
from pipeline.sources.records import Records
from pipeline.spool import PageEntry, Spool

__all__ = ["PageLog", "PagePlace", "timestamp"]


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a page belongs. ``offset`` is in records, None for a list that comes in one answer."""

    resource: str
    sweep: int = 1
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """The part of an entry about the body: its records, its hashes, and the file that keeps it."""

    sha256: str
    items: int = 0
    redacted_sha256: str | None = None
    file: str | None = None


class PageLog:
    """The accepted answers of one source. Without a spool, nothing is recorded."""

    def __init__(self, source: str, spool: Spool | None = None) -> None:
        self._source = source
        self._spool = spool
        self._pages: Counter[tuple[str, int]] = Counter()
        self._cut: dict[tuple[str, int], list[str]] = {}

    def record(self, answer: Reply, resource: str) -> None:
        """Record an answer without records. Its body may contain a token and is not kept."""
        if self._spool is not None:
            content = _Content(hashlib.sha256(answer.body).hexdigest())
            self._append(self._spool, answer, PagePlace(resource), content)

    def record_page(self, answer: Reply, records: Records, place: PagePlace, *, keep: bool = True) -> None:
        """Record a page of records. Its body is kept unless it is empty, or ``keep`` is false."""
        if self._spool is None:
            return
        file, redacted = None, None
        for position in records.cut:
            record_id = records.id_at(position)
            named = f"record {(place.offset or 0) + position} of {place.resource}"
            named += f" ({record_id})" if record_id else ""
            self._cut.setdefault((place.resource, place.sweep), []).append(named)
        if keep and records.items:
            page = self._pages[place.resource, place.sweep] + 1
            name = f"{place.resource}-{place.sweep}-{page:06d}.json"
            file = self._spool.write_body(self._source, name, records.kept)
            redacted = hashlib.sha256(records.kept).hexdigest() if records.redacted else None
        self._append(self._spool, answer, place, _Content(records.sha256, records.items, redacted, file))

    def cut_records(self, accepted: Mapping[str, int]) -> list[str]:
        """Name the records of the accepted sweeps (resource to sweep) that were too deeply nested to keep whole."""
        return list(dict.fromkeys(name for sweep in accepted.items() for name in self._cut.get(sweep, ())))

    def _append(self, spool: Spool, answer: Reply, place: PagePlace, content: _Content) -> None:
        key = place.resource, place.sweep
        self._pages[key] += 1
        spool.add_page(
            PageEntry(
                source=self._source,
                resource=place.resource,
                sweep=place.sweep,
                page=self._pages[key],
                offset=place.offset,
                url=answer.url,
                status=answer.status,
                items=content.items,
                bytes=len(answer.body),
                sha256=content.sha256,
                redacted_sha256=content.redacted_sha256,
                started_at=timestamp(answer.started_at),
                fetched_at=timestamp(answer.fetched_at),
                elapsed_ms=answer.elapsed_ms,
                attempts=answer.attempts,
                file=content.file,
            )
        )


def timestamp(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
