"""The members of a directory's groups: many short lists, several at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.sources.directories.linked import LinkedReading, read_linked
from pipeline.sources.errors import RedirectedError, RefusedError
from pipeline.sources.exchange import Reply
from pipeline.sources.extract import Extraction
from pipeline.sources.page_log import PagePlace
from pipeline.sources.paging import run_workers
from pipeline.sources.records import Records
from pipeline.spool import Observation
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.sources.directories.extract import DirectoryApi

__all__ = ["Members"]

_RESOURCE = "directory_members"
#: How many groups one explanation names.
_MOST_NAMED = 5
#: Workers beyond the requests that may be in flight: they send while others read the answers.
_READERS = 2


class Members:
    """Reads the members of groups. ``refused`` is set if the credential may not read them.

    Each group is read as every linked list is. Only the accepted reading of a group is kept; the requests of others
    are in the page log. A group that was deleted meanwhile has no members.
    """

    def __init__(self, api: DirectoryApi, extraction: Extraction) -> None:
        self._api = api
        self._extraction = extraction
        self._unproven: list[str] = []
        self._deleted = 0
        self._read = 0
        self.refused = False
        self.are_read = False

    async def read(self, groups: Mapping[str, str]) -> list[Observation]:
        """Read the members of these groups, ids with their names; return the checks of that."""
        waiting = list(groups.items())
        self._extraction.accepted[_RESOURCE] = 1

        async def work() -> None:
            while waiting and not self.refused:
                group_id, name = waiting.pop()
                await self._read_group(group_id, name)
                self._extraction.job.advance(_RESOURCE, self._read, None)

        await run_workers(work, min(len(waiting), self._extraction.job.source.concurrency + _READERS))
        self.are_read = bool(groups) and not self.refused
        return [self._observation(len(groups))] if self.are_read else []

    async def _read_group(self, group_id: str, name: str) -> None:
        pages: list[tuple[Reply, Records, int, int]] = []
        try:
            reading = await read_linked(
                self._api.members(group_id), lambda *page: pages.append(page), lambda *_: None, short_is_enough=True
            )
        except RefusedError as error:
            if isinstance(error, RedirectedError) or error.status not in (401, 403, 404):
                raise
            self.refused = self.refused or error.status != 404
            self._deleted += error.status == 404
            return
        self._keep(pages, reading)
        self._read += reading.accepted.distinct
        if not reading.is_proven:
            self._unproven.append(name)

    def _keep(self, pages: list[tuple[Reply, Records, int, int]], reading: LinkedReading) -> None:
        for answer, records, sweep, offset in pages:
            self._extraction.page_log.record_page(
                answer, records, PagePlace(_RESOURCE, 1, offset), keep=sweep == reading.accepted.number
            )

    def _observation(self, groups: int) -> Observation:
        unproven = sorted(self._unproven)
        words = f"The members of {counted(groups - self._deleted, 'group')} were read to their end."
        if self._deleted:
            words += f" {counted(self._deleted, 'group')} no longer existed when its members were requested."
        if unproven:
            named = ", ".join(unproven[:_MOST_NAMED])
            more = f" and {len(unproven) - _MOST_NAMED} more" if unproven[_MOST_NAMED:] else ""
            words = f"The members of these groups were not proven complete: {named}{more}."
        return Observation(
            check_id="members_end_proven",
            description="The members of every group were read to their end",
            expected=str(groups - self._deleted),
            observed=str(groups - self._deleted - len(unproven)),
            difference=-len(unproven),
            result="FAIL" if unproven else "PASS",
            explanation=words,
        )
