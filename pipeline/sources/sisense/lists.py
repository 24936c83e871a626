"""The paged lists of Sisense's REST API: ``skip`` and ``limit``, a bare array, a count at another address."""

from __future__ import annotations

from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.records import Records
from pipeline.sources.sisense.rest import Endpoint, SisenseApi, read_count

__all__ = ["RestList"]


class RestList:
    """A list for :func:`pipeline.sources.paging.read_list`. ``count`` is the address of its count, if it has one."""

    def __init__(self, api: SisenseApi, endpoint: Endpoint, count: Endpoint | None) -> None:
        self._api = api
        self._endpoint = endpoint
        self._count = count

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records]:
        """Request one page."""
        return await self._api.get(self._endpoint, self._api.read_records, {"skip": offset, "limit": limit})

    async def count(self) -> int | None:
        """Return the server's count, or None if it has none."""
        if self._count is None:
            return None
        try:
            answer, count = await self._api.get(self._count, read_count)
        except (RefusedError, UnreadableError):
            return None
        self._api.client.page_log.record(answer, "users_count")
        return count
