"""One SCIM 2.0 endpoint: its lists, its configuration, its filters, and changes.

Lists are those of RFC 7644, section 3.4.2.4: ``startIndex`` counts from 1, ``count`` is the largest page requested,
``totalResults`` is the server's own count. No record is rejected here: one that deviates is kept and counted.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import ConfigurationError, ContentError, LoginError, UnreachableError
from pipeline.settings import Secret, SourceSettings
from pipeline.sources import event_loop
from pipeline.sources.errors import BadAnswerError, NoScimError, RefusedError, UnreadableError
from pipeline.sources.exchange import Reply, Request, Token, fits_a_header
from pipeline.sources.records import Key, Records, cut_positions, read_json, without_secrets
from pipeline.sources.retries import Sleep
from pipeline.sources.scim.names import canonical
from pipeline.sources.transport import Client
from pipeline.wording import counted

__all__ = ["HINT", "ScimEndpoint", "ScimPage", "ScimProvider", "address", "operations", "probe"]

HINT = (
    "SCIM needs the Enterprise plan, and single sign-on active first; make its token under Admin > Security, "
    "and give the address with its base path, as in https://bi.example.com/api/scim/v2"
)
#: The operations that RFC 7644 makes optional, by their keys in the provider's configuration.
_OPERATIONS = ("patch", "bulk", "filter", "changePassword", "sort", "etag")
#: Attempts for an address that is probed: one without SCIM answers a web page every time.
_PROBES = 3


@dataclass(frozen=True, slots=True)
class ScimProvider:
    """An endpoint's description of itself: its optional operations, None if not stated, and its own counts."""

    operations: dict[str, bool] | None
    users: int | None
    groups: int | None


class _OneToken:
    """The only token of an endpoint: once refused, it is refused for good."""

    def __init__(self, client: Client, token: Secret) -> None:
        self._client = client
        self._token = Token(token.reveal(), 0)
        client.redaction.add(token.reveal())
        if not fits_a_header(self._token.value):
            raise ConfigurationError(
                "the SCIM token contains characters that no token has",
                where=client.where("GET", client.source.url),
                hint="copy the token again, without spaces, line breaks or quotes",
            )

    async def token(self) -> Token:
        return self._token

    def accepted(self, token: Token) -> None:
        pass

    async def refused(self, token: Token) -> None:  # noqa: ARG002
        raise LoginError(
            "the server refuses the SCIM token", where=self._client.where("GET", self._client.source.url), hint=HINT
        )


@dataclass(frozen=True, slots=True)
class ScimPage:
    """One ListResponse: its records, its total if that is usable, and how it deviates from the RFC."""

    records: Records
    total: int | None
    deviations: tuple[str, ...]


class ScimEndpoint:
    """One SCIM endpoint, used with one token."""

    def __init__(self, client: Client, token: Secret) -> None:
        self.client = client
        self._authority = _OneToken(client, token)
        self._fewest = 0

    async def write(self, method: str, path: str, document: Any) -> None:
        """Send a change once. Raises as :meth:`pipeline.sources.transport.Client.write`."""
        await self.client.write(Request(path, method=method, document=document), authority=self._authority)

    async def find(self, path: str, attribute: str, value: str) -> list[dict[str, Any]]:
        """Return the records with this value, whatever its case.

        If the server refuses or ignores the filter, the list is read to its end: a record counts as absent only then.

        Raises:
            ContentError: the endpoint counts more records than it shows, so absence is not proven.
        """
        wanted: str | None = f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"
        limit, start = self.client.source.page_size, 1
        found: dict[str, dict[str, Any]] = {}
        seen: set[str] = set()
        while True:
            try:
                answer, page = await self.list(path, start, limit, matching=wanted)
            except RefusedError:
                if wanted is None or seen:
                    raise
                wanted = None
                continue
            records = [record for record in read_json(page.records.kept) if isinstance(record, dict)]
            new = {str(record["id"]): record for record in records if record.get("id")}
            new = {key: record for key, record in new.items() if key not in seen}
            fits = {key for key, record in new.items() if str(record.get(attribute)).lower() == value.lower()}
            found |= {key: new[key] for key in fits}
            seen |= set(new)
            start = len(seen) + 1
            is_filtered = wanted is not None and fits == set(new)
            if new and not (is_filtered and len(seen) == page.total):
                continue
            if found or page.total is None or len(seen) >= page.total:
                return list(found.values())
            if limit > page.total:
                raise ContentError(
                    f"the endpoint counts {counted(page.total, 'record')} and shows {len(seen)} of them, so it is "
                    "unknown whether one has this name",
                    where=self.client.where("GET", answer.url),
                    hint="run 'access-review scim check'; the endpoint ignores startIndex or count",
                )
            limit, start = page.total + 1, 1  # the endpoint may ignore startIndex

    async def list(
        self, path: str, start: int, count: int, *, matching: str | None = None, attempts: int | None = None
    ) -> tuple[Reply, ScimPage]:
        """Request one page, of the records that match a filter or of all. ``start`` counts from 1."""
        query: dict[str, str | int] = {"startIndex": start, "count": count}
        if matching is not None:
            query["filter"] = matching
        request = Request(path, query)
        return await self.client.fetch(request, self._read, authority=self._authority, attempts=attempts)

    def _read(self, answer: Reply) -> ScimPage:
        return _read_list(answer.body, self.client.redaction.secrets)

    async def configuration(self) -> tuple[Reply, dict[str, Any]] | None:
        """Return ``/ServiceProviderConfig``, or None on a server without it."""
        try:
            return await self.client.fetch(
                Request("/ServiceProviderConfig"),
                lambda answer: _object(read_json(answer.body)),
                authority=self._authority,
                attempts=_PROBES,
            )
        except (RefusedError, UnreadableError):
            return None

    async def total(self, path: str, *, attempts: int | None = None) -> tuple[Reply, ScimPage]:
        """Request a list without records, or with one if the server refuses that or then has no total."""
        if self._fewest == 0:
            try:
                answer, page = await self.list(path, 1, 0, attempts=attempts)
                if page.total:
                    return answer, page
            except (RefusedError, UnreadableError, UnreachableError):
                if not self.client.has_answered:
                    raise
        answer, page = await self.list(path, 1, 1, attempts=attempts)
        if page.total:
            self._fewest = 1
        return answer, page

    async def first(self, path: str) -> ScimPage:
        """Request a list without records, to see whether SCIM answers at this address.

        Raises:
            NoScimError: there is no SCIM endpoint here, or it does not accept this token.
        """
        try:
            _, page = await self.total(path, attempts=_PROBES)
        except (RefusedError, UnreadableError, LoginError) as error:
            raise NoScimError(f"no SCIM here: {error.message}", where=error.where, hint=HINT) from error
        return page


def address(source: SourceSettings) -> SourceSettings:
    """Return the SCIM endpoint of a source, or the one beside it, as a source of its own."""
    return dataclasses.replace(source, kind="scim", url=source.scim_url or source.url, scim_url=None)


def probe(
    source: SourceSettings, token: Secret, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
) -> ScimProvider:
    """Check an endpoint without reading its lists.

    Raises:
        NoScimError: there is no SCIM endpoint here, or it does not accept this token.
        SourceError: it cannot be reached.
    """

    async def look() -> ScimProvider:
        async with Client(source, clock=clock, sleep=sleep) as client:
            endpoint = ScimEndpoint(client, token)
            users = await endpoint.first("/Users")
            groups = await endpoint.first("/Groups")
            found = await endpoint.configuration()
            return ScimProvider(operations(found[1]) if found else None, users.total, groups.total)

    return event_loop.run(look())


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadAnswerError("an object was expected")
    return document


def operations(document: dict[str, Any]) -> dict[str, bool] | None:
    """Return which operations a provider's configuration says it supports, or None if it says nothing."""
    get = _folded(document).get
    found = {name: _folded(get(name.lower())) for name in _OPERATIONS if isinstance(get(name.lower()), dict)}
    return {name: str(option.get("supported")).lower() == "true" for name, option in found.items()} or None


def _folded(value: Any) -> dict[str, Any]:
    """Return an object with its names in lower case (RFC 7643, section 2.1); any other value as an empty one."""
    return {str(key).lower(): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def _read_list(body: bytes, secrets: tuple[str, ...]) -> ScimPage:
    """Read a ListResponse.

    Raises:
        BadAnswerError: it is not JSON, was truncated, or is not a list of resources.
    """
    document = _object(read_json(body))
    get = _folded(document).get
    resources, total, per_page = get("resources"), get("totalresults"), get("itemsperpage")
    deviations: list[str] = []
    if resources is None:
        if total is None:
            raise BadAnswerError("the answer is an object instead of a SCIM list")
        resources = []  # RFC 7644, section 3.4.2: it may be omitted if nothing is returned
    if not isinstance(resources, list):
        raise BadAnswerError("'Resources' is not a list")
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 10:
        total = int(total)
        deviations.append("totalResults is text")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        total = None
        deviations.append("no usable totalResults")
    if per_page is not None and resources and per_page != len(resources):
        deviations.append("itemsPerPage is not the number of records")
    resources = [canonical(item) for item in resources]
    keys: list[Key | None] = []
    for item in resources:
        record_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)  # as SQL will read it
            deviations.append("an id is a number")
        is_usable = isinstance(record_id, str) and record_id
        keys.append(record_id if is_usable else None)
        if not is_usable:
            deviations.append(
                "a record without an id" if isinstance(item, dict) else "an element that is not a record"
            )
    # the list is kept without its envelope, so it always has a hash of its own
    kept = without_secrets(resources, secrets)
    sha256 = hashlib.sha256(body).hexdigest()
    records = Records(tuple(keys), kept, True, sha256, cut_positions(kept, body))
    return ScimPage(records, total, tuple(deviations))
