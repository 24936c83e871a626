"""Accounts looked up by a field, such as a user name, an address or a role.

Servers have filters for that, but some refuse them, ignore them, or cap their results. So the results are compared
again here, and a filter that finds nothing is tried on an account known to exist. If a filter is unreliable, the list
is read to its proven end, as an extract reads it. An account counts as absent only after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import ContentError
from pipeline.sources.completeness import observations
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.paging import ReadPage, read_list
from pipeline.sources.records import read_json
from pipeline.sources.sisense.lists import RestList
from pipeline.sources.sisense.rest import Endpoint, SisenseApi
from pipeline.wording import counted

__all__ = ["Lookup"]

_Record = Mapping[str, Any]
#: So many accounts are enough to find one on which a filter can be tried.
_SAMPLE = 5
#: Fields that people write in upper and in lower case.
_CASELESS = frozenset({"userName", "email"})
#: Statuses of a server that does not know a filter, or has none.
_UNKNOWN_FILTER = frozenset({400, 404, 405, 422, 501})


class Lookup:
    """Finds accounts of one instance, and remembers which filters are reliable there."""

    def __init__(self, api: SisenseApi, users: Endpoint) -> None:
        self._api = api
        self._users = users
        self._is_honoured: dict[str, bool] = {}
        self._is_case_sensitive: dict[str, bool] = {}
        self._all_accounts: list[_Record] | None = None

    async def find(self, query: Mapping[str, str]) -> list[_Record]:
        """Return the records with this value, whatever its case.

        Raises:
            SourceError: they cannot be read, or not to a proven end.
        """
        ((key, value),) = query.items()
        if self._is_honoured.get(key, True):
            found = await self._filtered(query)
            if found or (found is not None and await self._is_reliable(key)):
                return found or await self._in_other_case(key, value)
        self._is_honoured[key] = False
        return [record for record in await self._read_all() if _fits(record, query)]

    async def _in_other_case(self, key: str, value: str) -> list[_Record]:
        """Return the records that a case-sensitive filter misses. The list is read once at most for this."""
        if not self._is_case_sensitive.get(key):
            return []
        if self._all_accounts is None:
            self._all_accounts = await self._read_all()
        spellings = {str(record[key]) for record in self._all_accounts if _fits(record, {key: value})}
        found = [await self._filtered({key: spelling}) or [] for spelling in sorted(spellings - {value})]
        return [record for records in found for record in records]

    async def _filtered(self, query: Mapping[str, str]) -> list[_Record] | None:
        """Read the results of a filter, page by page until there is nothing new; None if it is refused or ignored."""
        found: dict[str, _Record] = {}
        received = 0
        while True:
            try:
                page, items = await self._page(query, received, self._api.client.source.page_size)
            except RefusedError as error:
                if error.status not in _UNKNOWN_FILTER or found:
                    raise
                return None
            if not all(_fits(record, query) for record in page):
                return None
            new = {str(record["_id"]): record for record in page if str(record["_id"]) not in found}
            if not new:
                return list(found.values())
            found |= new
            received += items

    async def _is_reliable(self, key: str) -> bool:
        """Return whether a filter finds an account that exists."""
        if key not in self._is_honoured:
            page, _ = await self._page({}, 0, _SAMPLE)
            samples = [record for record in page if isinstance(record.get(key), str) and record[key]]
            self._is_honoured[key] = bool(samples) and await self._finds(key, samples[0][key], samples[0])
            if key in _CASELESS and self._is_honoured[key]:
                self._is_case_sensitive[key] = not await self._finds(key, samples[0][key].swapcase(), samples[0])
        return self._is_honoured[key]

    async def _finds(self, key: str, value: str, wanted: _Record) -> bool:
        return any(record["_id"] == wanted["_id"] for record in await self._filtered({key: value}) or ())

    async def _page(self, query: Mapping[str, str], skip: int, limit: int) -> tuple[list[_Record], int]:
        """Return one page: its records that have an id, and the number of its elements."""
        request = Request(self._users.path, {**query, "skip": skip, "limit": limit})
        _, page = await self._api.client.fetch(request, _read_page, authority=self._api.session)
        return _with_id(page), len(page)

    async def _read_all(self) -> list[_Record]:
        """Read every account.

        Raises:
            ContentError: the list is not proven complete.
        """
        client = self._api.client
        bodies: dict[int, list[bytes]] = {}

        def keep(page: ReadPage) -> None:
            if page.counts:
                bodies.setdefault(page.sweep, []).append(page.records.kept)

        reading = await read_list(
            RestList(self._api, self._users, await self._api.find_count()),
            keep,
            page_size=client.source.page_size,
            workers=client.source.concurrency,
            progress=lambda *_: None,
        )
        everything = [record for body in bodies.get(reading.accepted.number, ()) for record in read_json(body)]
        found = list({str(record["_id"]): record for record in _with_id(everything)}.values())
        doubts = [seen.explanation for seen in observations({"users": reading}) if seen.result == "FAIL"]
        if reading.after is not None and reading.after != len(found):
            doubts.append(f"The server counts {counted(reading.after, 'account')}, and {len(found)} were read.")
        if doubts:
            raise ContentError(
                f"the server does not filter its list of accounts, and the list is not reliable: {doubts[0]}",
                where=client.where("GET", client.source.url + self._users.path),
                hint="try again when nothing else changes accounts; 'access-review extract' shows how the list reads",
            )
        return found


def _with_id(records: list[Any]) -> list[_Record]:
    return [record for record in records if isinstance(record, dict) and isinstance(record.get("_id"), str | int)]


def _fits(record: _Record, query: Mapping[str, str]) -> bool:
    return all(str(record.get(key, "")).strip().lower() == value.strip().lower() for key, value in query.items())


def _read_page(answer: Reply) -> list[Any]:
    document = read_json(answer.body)
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list of accounts")
    return document
