"""The paged lists of Sisense's REST API: ``skip`` and ``limit``, a bare array, a count at another address."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.records import Records
from pipeline.sources.sisense.rest import Endpoint, Found, SisenseApi, read_count

__all__ = ["RestList"]


class RestList:
    """A list for :func:`pipeline.sources.paging.read_list`. ``count`` is its count, if it has one.

    The count that was found counts as the first one: it was requested before the first page. ``probe`` is the answer
    by which the list was found, if it came after the count. If it is the first page that is read, it is not requested
    again.
    """

    def __init__(
        self, api: SisenseApi, endpoint: Endpoint, count: Found[int] | None, probe: Found[Records] | None = None
    ) -> None:
        self._api = api
        self.endpoint = endpoint
        self._count = count.endpoint if count is not None else None
        self._first = count.value if count is not None else None
        self._probe = probe
        #: The pages of a list without a count, which is read twice: by their hash, without their bodies.
        self._pages: dict[str, Records] = {}

    @property
    def where(self) -> str:
        """Return the address of the list."""
        return self._api.client.where("GET", self._api.client.source.url + self.endpoint.path)

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records]:
        """Request one page, or return the one that the probe requested."""
        if self._probe is not None:
            probe, self._probe = self._probe, None
            if probe.page == {"skip": offset, "limit": limit}:
                return probe.answer, self._remembered(probe.answer, probe.value)
            self._api.client.page_log.record(probe.answer, "probe")
        return await self._api.get(self.endpoint, self._read, {"skip": offset, "limit": limit})

    def _read(self, answer: Reply) -> Records:
        """Read a page. One that has come before, byte for byte, is not parsed again."""
        page = self._pages.get(hashlib.sha256(answer.body).hexdigest()) if self._pages else None
        if page is not None:
            return replace(page, kept=answer.body)
        return self._remembered(answer, self._api.read_records(answer))

    def _remembered(self, answer: Reply, page: Records) -> Records:
        if self._count is None and page.kept is answer.body:
            self._pages[page.sha256] = replace(page, kept=b"")
        return page

    async def count(self) -> int | None:
        """Return the server's count, or None if it has none."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._count is None:
            return None
        try:
            answer, count = await self._api.get(self._count, read_count)
        except (RefusedError, UnreadableError):
            return None
        self._api.client.page_log.record(answer, "users_count")
        return count
