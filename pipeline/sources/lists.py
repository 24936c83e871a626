"""Lists of an extract: each page goes to the ledger, and the fullest sweep counts where the end is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable

from pipeline.errors import SourceError
from pipeline.settings import SourceSettings
from pipeline.sources.connection import Answer
from pipeline.sources.page_log import PageLog
from pipeline.sources.paging import Reading, read_list
from pipeline.sources.records import Records

__all__ = ["LedgerList", "Progress"]

#: Hears of a resource, how many items of it were read, and of how many, null where that is not known.
Progress = Callable[[str, int, int | None], None]


class LedgerList(ABC):
    """One list of a source, as :mod:`pipeline.sources.paging` reads it."""

    def __init__(self, ledger: PageLog, resource: str) -> None:
        self.ledger = ledger
        self.resource = resource
        self._kept: Counter[int] = Counter()

    @abstractmethod
    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        """Ask for one page."""

    @abstractmethod
    async def count(self) -> int | None:
        """Ask for the server's own count; null where it has none."""

    def keep(self, answer: Answer, records: Records, *, sweep: int, offset: int, keep: bool) -> None:
        """Account for a page, and write its records down if they count."""
        self.ledger.keep(answer, records, self.resource, sweep=sweep, offset=offset, keep=keep)
        if keep:
            self._kept[sweep] += records.items

    async def read(self, source: SourceSettings, progress: Progress, accepted: dict[str, int]) -> Reading:
        """Read it to its end, and enter into ``accepted`` the sweep that counts, also when the list fails midway.

        Raises:
            SourceError: the list could not be read to its end.
        """
        try:
            reading = await read_list(
                self,
                page_size=source.page_size,
                workers=source.concurrency,
                progress=lambda items, total: progress(self.resource, items, total),
            )
        except SourceError:
            if self._kept:
                accepted[self.resource] = self._kept.most_common(1)[0][0]
            raise
        accepted[self.resource] = reading.accepted.number
        return reading
