"""The ledger: one line a request in the spool's journal, and the body beside it where it holds records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.sources.connection import Answer
from pipeline.sources.records import Records
from pipeline.spool import Observation, PageEntry, Spool

__all__ = ["PageLog", "timestamp"]

#: How many records one explanation names.
_MOST_NAMED = 5


class PageLog:
    """Accounts for the requests of one source."""

    def __init__(self, spool: Spool, source: str) -> None:
        self._spool = spool
        self._source = source
        self._pages: Counter[tuple[str, int]] = Counter()
        self._cut: dict[tuple[str, int], list[str]] = {}

    def note(self, answer: Answer, resource: str) -> None:
        """Account for an answer that holds no records: its body may carry a token and is not kept."""
        sha256 = hashlib.sha256(answer.body).hexdigest()
        self._add(answer, resource, sha256, sweep=1, offset=None, items=0, redacted_sha256=None, file=None)

    def keep(
        self, answer: Answer, records: Records, resource: str, *, sweep: int, offset: int | None, keep: bool = True
    ) -> None:
        """Account for a page of records, and write its body down unless it is empty or came before."""
        file, redacted = None, None
        for place in records.cut:
            record_id = records.id_at(place)
            named = f"record {(offset or 0) + place} of {resource}" + (f" ({record_id})" if record_id else "")
            self._cut.setdefault((resource, sweep), []).append(named)
        if keep and records.items:
            page = self._pages[resource, sweep] + 1
            file = self._spool.write_body(self._source, f"{resource}-{sweep}-{page:06d}.json", records.kept)
            redacted = hashlib.sha256(records.kept).hexdigest() if records.redacted else None
        self._add(
            answer,
            resource,
            records.sha256,
            sweep=sweep,
            offset=offset,
            items=records.items,
            redacted_sha256=redacted,
            file=file,
        )

    def records_whole(self, accepted: Mapping[str, int]) -> Observation:
        """Judge whether each record of the accepted sweeps was kept whole; name those that were not."""
        cut = list(dict.fromkeys(name for sweep in accepted.items() for name in self._cut.get(sweep, ())))
        named = ", ".join(cut[:_MOST_NAMED]) + (f" and {len(cut) - _MOST_NAMED} more" if cut[_MOST_NAMED:] else "")
        return Observation(
            check_id="records_whole",
            description="Every record could be kept whole",
            expected="0",
            observed=str(len(cut)),
            difference=len(cut),
            result="FAIL" if cut else "PASS",
            explanation=f"Nested too deep to be kept whole: {named}." if cut else "Every record was kept whole.",
        )

    def _add(
        self,
        answer: Answer,
        resource: str,
        sha256: str,
        *,
        sweep: int,
        offset: int | None,
        items: int,
        redacted_sha256: str | None,
        file: str | None,
    ) -> None:
        self._pages[resource, sweep] += 1
        self._spool.add_page(
            PageEntry(
                source=self._source,
                resource=resource,
                sweep=sweep,
                page=self._pages[resource, sweep],
                offset=offset,
                url=answer.url,
                status=answer.status,
                items=items,
                bytes=len(answer.body),
                sha256=sha256,
                redacted_sha256=redacted_sha256,
                started_at=timestamp(answer.started_at),
                fetched_at=timestamp(answer.fetched_at),
                elapsed_ms=answer.elapsed_ms,
                attempts=answer.attempts,
                file=file,
            )
        )


def timestamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
