"""Accounts looked up by a field, such as a user name, an address or a role.

Servers have filters for that, and some refuse them, ignore them, or cap what they give. So what comes is compared
again here, a filter that finds nothing is tried on an account that is there, and where it cannot be relied on the
list is read to its proven end, as an extract reads it. Nobody is taken for absent because a server did not look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import ContentError
from pipeline.sources.completeness import observations
from pipeline.sources.connection import Answer
from pipeline.sources.errors import BadAnswerError, RefusedError, UnreadableError
from pipeline.sources.paging import read_list
from pipeline.sources.records import Records, read_json
from pipeline.sources.sisense.rest import Endpoint, SisenseApi, read_count
from pipeline.wording import counted

__all__ = ["Lookup"]

_Record = Mapping[str, Any]
#: So many accounts are enough to find one that a filter can be tried on.
_SAMPLE = 5
#: What people write now in capitals, now in small letters.
_WORDS = frozenset({"userName", "email"})
#: What a server answers that does not know a filter, or has none.
_UNKNOWN_FILTER = frozenset({400, 404, 405, 422, 501})


class Lookup:
    """Finds accounts of one instance, and remembers which filters it honours."""

    def __init__(self, instance: SisenseApi, users: Endpoint) -> None:
        self._instance = instance
        self._users = users
        self._is_honoured: dict[str, bool] = {}
        self._minds_case: dict[str, bool] = {}
        self._spellings: list[_Record] | None = None

    async def find(self, query: Mapping[str, str]) -> list[_Record]:
        """Return the records with these values, whatever their case.

        Raises:
            SourceError: they cannot be read, or not to a proven end.
        """
        ((key, value),) = query.items()
        if self._is_honoured.get(key, True):
            found = await self._filtered(query)
            if found or (found is not None and await self._is_reliable(key)):
                return found or await self._spelt_otherwise(key, value)
        self._is_honoured[key] = False
        return [record for record in await self._everybody() if _fits(record, query)]

    async def _spelt_otherwise(self, key: str, value: str) -> list[_Record]:
        """Return the records that a filter misses because it minds case; the list is read for that once at most."""
        if not self._minds_case.get(key):
            return []
        if self._spellings is None:
            self._spellings = await self._everybody()
        spellings = {str(record[key]) for record in self._spellings if _fits(record, {key: value})}
        found = [await self._filtered({key: spelling}) or [] for spelling in sorted(spellings - {value})]
        return [record for records in found for record in records]

    async def _filtered(self, query: Mapping[str, str]) -> list[_Record] | None:
        """Read what a filter gives, page by page until nothing new comes; None where it is refused or ignored."""
        found: dict[str, _Record] = {}
        came = 0
        while True:
            try:
                page, items = await self._page(query, came, self._instance.client.source.page_size)
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
            came += items

    async def _is_reliable(self, key: str) -> bool:
        """Tell whether a filter finds an account that is there."""
        if key not in self._is_honoured:
            page, _ = await self._page({}, 0, _SAMPLE)
            samples = [record for record in page if isinstance(record.get(key), str) and record[key]]
            self._is_honoured[key] = bool(samples) and await self._finds(key, samples[0][key], samples[0])
            if key in _WORDS and self._is_honoured[key]:
                self._minds_case[key] = not await self._finds(key, samples[0][key].swapcase(), samples[0])
        return self._is_honoured[key]

    async def _finds(self, key: str, value: str, wanted: _Record) -> bool:
        return any(record["_id"] == wanted["_id"] for record in await self._filtered({key: value}) or ())

    async def _page(self, query: Mapping[str, str], skip: int, limit: int) -> tuple[list[_Record], int]:
        """Return one page: its records that have an id, and how many elements it has."""
        _, page = await self._instance.client.ask(
            self._users.path,
            _read_list,
            query={**query, "skip": skip, "limit": limit},
            authority=self._instance.session,
        )
        return _with_id(page), len(page)

    async def _everybody(self) -> list[_Record]:
        everybody = _Everybody(self._instance, self._users, await self._instance.find_count())
        source = self._instance.client.source
        reading = await read_list(
            everybody, page_size=source.page_size, workers=source.concurrency, progress=lambda *_: None
        )
        found = everybody.records(reading.accepted.number)
        doubts = [seen.explanation for seen in observations({"users": reading}) if seen.result == "FAIL"]
        if reading.after is not None and reading.after != len(found):
            doubts.append(f"The server counts {counted(reading.after, 'account')}, and {len(found)} came.")
        if doubts:
            raise ContentError(
                f"the server does not filter its list of accounts, and the list cannot be relied on: {doubts[0]}",
                where=self._instance.client.where("GET", source.url + self._users.path),
                hint="try again when nothing else changes accounts; 'access-review extract' shows how the list reads",
            )
        return found


class _Everybody:
    """The list of accounts, as :mod:`pipeline.sources.paging` reads it, kept in memory."""

    def __init__(self, instance: SisenseApi, users: Endpoint, count: Endpoint | None) -> None:
        self._instance = instance
        self._users = users
        self._count = count
        self._bodies: dict[int, list[bytes]] = {}

    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        return await self._instance.get(self._users, self._instance.read_records, {"skip": offset, "limit": limit})

    def keep(self, answer: Answer, records: Records, *, sweep: int, offset: int, keep: bool) -> None:  # noqa: ARG002
        if keep:
            self._bodies.setdefault(sweep, []).append(records.kept)

    async def count(self) -> int | None:
        if self._count is None:
            return None
        try:
            _, count = await self._instance.get(self._count, read_count)
        except (RefusedError, UnreadableError):
            return None
        return count

    def records(self, sweep: int) -> list[_Record]:
        """Return the records of one sweep, each once."""
        everything = [record for body in self._bodies.get(sweep, ()) for record in read_json(body)]
        return list({str(record["_id"]): record for record in _with_id(everything)}.values())


def _with_id(records: list[Any]) -> list[_Record]:
    return [record for record in records if isinstance(record, dict) and isinstance(record.get("_id"), str | int)]


def _fits(record: _Record, query: Mapping[str, str]) -> bool:
    return all(str(record.get(key, "")).strip().lower() == value.strip().lower() for key, value in query.items())


def _read_list(answer: Answer) -> list[Any]:
    document = read_json(answer.body)
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list of accounts")
    return document
