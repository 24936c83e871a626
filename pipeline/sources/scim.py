"""SCIM 2.0: the users and groups that a provisioning endpoint tells of, into the spool.

Lists are those of RFC 7644, section 3.4.2.4: ``startIndex`` counts from 1, ``count`` is the most that is asked for,
``totalResults`` is the server's own count. How a list is read, and how its end is proven, is
:mod:`pipeline.sources.paging`'s, as for Sisense. A record is never judged here: an odd one is kept and counted.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import AccessReviewError, ConfigurationError, ContentError, LoginError, SourceError
from pipeline.settings import Secret, SourceSettings
from pipeline.sources.http import Answer, Client, Clock, RefusedError, Sleep, Token, UnreadableError
from pipeline.sources.ledger import Ledger, timestamp
from pipeline.sources.observations import observations
from pipeline.sources.paging import Reading, read_list
from pipeline.sources.records import BadAnswerError, Key, Records, read_json, without_secrets
from pipeline.sources.sisense import Progress, utc_now
from pipeline.spool import Observation, Outcome, Spool

__all__ = ["HINT", "Endpoint", "NoScimError", "Provider", "address", "beside", "extract", "probe"]

HINT = (
    "SCIM needs the Enterprise plan, and single sign-on active first; make its token under Admin > Security, "
    "and give the address with its base path, as in https://bi.example.com/api/scim/v2"
)
#: What RFC 7644 lets a server leave out, each by its key in the provider's configuration.
_OPERATIONS = ("patch", "bulk", "filter", "changePassword", "sort", "etag")
#: An address without SCIM answers a web page, and would answer it every time.
_PROBES = 3


class NoScimError(ContentError):
    """Nothing at this address speaks SCIM, or not to this token."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the endpoint says of itself. ``operations`` is null where it does not say; totals are its own counts."""

    operations: dict[str, bool] | None
    users: int | None
    groups: int | None


class _OneToken:
    """A token that is refused once is refused for good."""

    def __init__(self, client: Client, token: Secret) -> None:
        self._client = client
        self._token = Token(token.reveal(), 0)
        client.keep_secret(token.reveal())

    async def token(self) -> Token:
        return self._token

    def accepted(self, token: Token) -> None:
        pass

    async def refused(self, token: Token) -> None:  # noqa: ARG002
        raise LoginError(
            "the server refuses the SCIM token", where=self._client.where("GET", self._client.source.url), hint=HINT
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """One ListResponse: its records, its total if it has a usable one, and how it strays from the RFC."""

    records: Records
    total: int | None
    strays: tuple[str, ...]


class Endpoint:
    """One SCIM endpoint, asked with one token."""

    def __init__(self, client: Client, token: Secret) -> None:
        self.client = client
        self._authority = _OneToken(client, token)

    async def write(self, method: str, path: str, document: Any) -> None:
        """Send a change once. Raises as :meth:`pipeline.sources.http.Client.write`."""
        await self.client.write(method, path, document, authority=self._authority)

    async def find(self, path: str, attribute: str, value: str) -> list[dict[str, Any]]:
        """Return the records with this value, whatever its case.

        A server that refuses or ignores the filter is read to its end: nobody is taken for absent because they come
        late.
        """
        wanted: str | None = f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"
        found: dict[str, dict[str, Any]] = {}
        seen: set[str] = set()
        while True:
            try:
                _, page = await self.list(path, len(seen) + 1, self.client.source.page_size, matching=wanted)
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
            is_filtered = wanted is not None and fits == set(new)
            if not new or (is_filtered and len(seen) == page.total):
                return list(found.values())

    async def list(
        self, path: str, start: int, count: int, *, matching: str | None = None, attempts: int | None = None
    ) -> tuple[Answer, _Page]:
        """Ask for one page, of those that match a filter or of all."""
        query: dict[str, str | int] = {"startIndex": start, "count": count}
        if matching is not None:
            query["filter"] = matching
        return await self.client.ask(path, self._read, query=query, authority=self._authority, attempts=attempts)

    def _read(self, answer: Answer) -> _Page:
        return _read_list(answer.body, self.client.secrets)

    async def configuration(self) -> tuple[Answer, dict[str, Any]] | None:
        """Return ``/ServiceProviderConfig``; null where there is none, which not every server has."""
        try:
            return await self.client.ask(
                "/ServiceProviderConfig",
                lambda answer: _object(read_json(answer.body)),
                authority=self._authority,
                attempts=_PROBES,
            )
        except (RefusedError, UnreadableError):
            return None

    async def first(self, path: str) -> _Page:
        """Ask for a list without its records.

        Raises:
            NoScimError: what answers there is not SCIM, or not for this token.
        """
        try:
            _, page = await self.list(path, 1, 0, attempts=_PROBES)
        except (RefusedError, UnreadableError) as error:
            raise NoScimError(f"no SCIM here: {error.message}", where=error.where, hint=HINT) from error
        except LoginError as error:
            raise NoScimError(f"no SCIM here: {error.message}", where=error.where, hint=HINT) from error
        return page


class _List:
    """One list of the endpoint, as :mod:`pipeline.sources.paging` reads it."""

    def __init__(self, endpoint: Endpoint, ledger: Ledger, resource: str, path: str) -> None:
        self._endpoint = endpoint
        self._ledger = ledger
        self._resource = resource
        self._path = path
        self._kept: Counter[int] = Counter()
        self.strays: Counter[str] = Counter()

    @property
    def fullest(self) -> int | None:
        """Return the sweep of which most was kept."""
        return self._kept.most_common(1)[0][0] if self._kept else None

    async def page(self, offset: int, limit: int) -> tuple[Answer, Records]:
        answer, page = await self._endpoint.list(self._path, offset + 1, limit)
        self.strays.update(page.strays)
        return answer, page.records

    def keep(self, answer: Answer, records: Records, *, sweep: int, offset: int, keep: bool) -> None:
        self._ledger.keep(answer, records, self._resource, sweep=sweep, offset=offset, keep=keep)
        if keep:
            self._kept[sweep] += records.items

    async def count(self) -> int | None:
        try:
            answer, page = await self._endpoint.list(self._path, 1, 0)
        except (RefusedError, UnreadableError):
            return None
        self._ledger.note(answer, f"{self._resource}_count")
        return page.total


def address(source: SourceSettings) -> SourceSettings:
    """Return the SCIM endpoint of a source, its own or the one beside it, as a source."""
    return dataclasses.replace(source, kind="scim", url=source.scim_url or source.url, scim_url=None)


def probe(source: SourceSettings, token: Secret, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep) -> Provider:
    """Look at an endpoint without reading it.

    Raises:
        NoScimError: what answers there is not SCIM, or not for this token.
        SourceError: it cannot be reached.
    """

    async def look() -> Provider:
        async with Client(source, clock=clock, sleep=sleep) as client:
            endpoint = Endpoint(client, token)
            users = await endpoint.first("/Users")
            groups = await endpoint.first("/Groups")
            found = await endpoint.configuration()
            return Provider(_operations(found[1]) if found else None, users.total, groups.total)

    return asyncio.run(look())


def extract(
    source: SourceSettings,
    token: Secret,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> Outcome:
    """Read a source of kind ``scim`` into the spool, as :func:`pipeline.sources.sisense.extract` does a Sisense.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    outcome, failure = asyncio.run(_Extract(source, token, spool, progress, clock, sleep).run())
    spool.write_outcome(outcome)
    if failure is not None:
        raise failure
    return outcome


def beside(
    source: SourceSettings,
    token: Secret,
    spool: Spool,
    *,
    progress: Progress,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Read the SCIM endpoint beside a Sisense that was read, and add what became of it to that one's outcome.

    Raises:
        SourceError: it failed; the outcome says so, and the extract is not complete.
    """
    at = address(source)
    found, failure = asyncio.run(_Extract(at, token, spool, progress, clock, sleep).run())
    main = next(outcome for outcome in spool.outcomes() if outcome.source == source.name)
    spool.write_outcome(
        dataclasses.replace(
            main,
            accepted_sweeps=main.accepted_sweeps | found.accepted_sweeps,
            server_counts=main.server_counts | {"scim_users": found.server_counts["users_after"]},
            missing=main.missing | found.missing,
            settings=main.settings
            | {"scim_url": at.url}
            | {key if key.startswith("scim_") else f"scim_{key}": value for key, value in found.settings.items()},
            observations=(*main.observations, *map(_of_scim, found.observations)),
            error=main.error or found.error,
            hint=main.hint or found.hint,
        )
    )
    if failure is not None:
        raise failure


class _Extract:
    def __init__(
        self, source: SourceSettings, token: Secret, spool: Spool, progress: Progress, clock: Clock, sleep: Sleep
    ) -> None:
        self.source = source
        self.token = token
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self.started = clock()
        self.ledger = Ledger(spool, source.name)
        self.readings: dict[str, Reading] = {}
        self.accepted: dict[str, int] = {}
        self.strays: Counter[str] = Counter()
        self.settings: dict[str, str] = {"page_size_asked": str(source.page_size)}
        self.missing: dict[str, str] = {}
        self.skew: float | None = None

    async def run(self) -> tuple[Outcome, AccessReviewError | None]:
        failure: AccessReviewError | None = None
        try:
            async with Client(self.source, clock=self.clock, sleep=self.sleep) as client:
                await self.read(Endpoint(client, self.token))
                self.settings["requests"] = str(client.requests)
        except (SourceError, ConfigurationError) as error:
            failure = error
        users = self.readings.get("users")
        return (
            Outcome(
                source=self.source.name,
                kind="scim",
                url=self.source.url,
                api="scim 2.0",
                accepted_sweeps=self.accepted,
                server_counts={
                    "users_before": users.before if users else None,
                    "users_after": users.after if users else None,
                },
                missing=self.missing,
                settings=self.settings,
                clock_skew_seconds=self.skew,
                observations=(*observations(self.readings), *self.deviations()),
                started_at=timestamp(self.started),
                finished_at=timestamp(self.clock()),
                error=str(failure) if failure else None,
                hint=failure.hint if failure else None,
            ),
            failure,
        )

    async def read(self, endpoint: Endpoint) -> None:
        await endpoint.first("/Users")
        found = await endpoint.configuration()
        if found is None:
            self.missing["ServiceProviderConfig"] = "which operations the endpoint supports is unknown"
        else:
            answer, document = found
            self.ledger.note(answer, "scim_config")
            self.skew = answer.skew_seconds
            self.settings |= {
                f"scim_{name}": str(is_on).lower() for name, is_on in (_operations(document) or {}).items()
            }
        await self.read_list(endpoint, "users", "/Users")
        await self.read_list(endpoint, "groups", "/Groups")

    async def read_list(self, endpoint: Endpoint, things: str, path: str) -> None:
        resource = f"scim_{things}"
        records = _List(endpoint, self.ledger, resource, path)
        try:
            reading = await read_list(
                records,
                page_size=self.source.page_size,
                workers=self.source.concurrency,
                progress=lambda items, total: self.progress(resource, items, total),
            )
        except SourceError:
            if records.fullest is not None:
                self.accepted[resource] = records.fullest
            raise
        finally:
            self.strays.update({f"{things}: {stray}": count for stray, count in records.strays.items()})
        self.readings[things] = reading
        self.accepted[resource] = reading.accepted.number
        self.settings[f"{resource}_page_size"] = str(reading.page_size)
        self.settings[f"{resource}_sweeps"] = str(reading.sweeps)

    def deviations(self) -> tuple[Observation, ...]:
        """Return whether each list holds what its server counts, and what in the answers RFC 7644 does not allow."""
        total = sum(self.strays.values())
        listed = "; ".join(f"{count} x {stray}" for stray, count in sorted(self.strays.items()))
        return (
            *(_counted(things, reading) for things, reading in self.readings.items()),
            Observation(
                check_id="scim_as_specified",
                description="Every answer is what RFC 7644 says it should be",
                expected="0",
                observed=str(total),
                difference=total,
                result="FAIL" if total else "PASS",
                explanation=f"Read all the same: {listed}." if total else "No answer strayed from RFC 7644.",
                is_gate=False,
            ),
        )


def _counted(things: str, reading: Reading) -> Observation:
    sweep = reading.accepted
    read = sweep.items - sweep.repeated - sweep.without_id
    said = reading.after
    words = f"The endpoint counts {said} {things}, and {read} with an id were read."
    return Observation(
        check_id=f"scim_{things}_counted",
        description=f"The SCIM endpoint's own count of {things} equals those that were read",
        expected=None if said is None else str(said),
        observed=str(read),
        difference=None if said is None else read - said,
        result="NOT_AVAILABLE" if said is None and not sweep.without_id else "PASS" if read == said else "FAIL",
        explanation=words if said is not None else f"The endpoint has no count of {things}; {read} were read.",
    )


def _of_scim(seen: Observation) -> Observation:
    if seen.check_id.startswith("scim_"):
        return seen
    return dataclasses.replace(seen, check_id=f"scim_{seen.check_id}", description=f"By SCIM: {seen.description}")


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadAnswerError("an object was expected")
    return document


def _operations(document: dict[str, Any]) -> dict[str, bool] | None:
    found = {name: document[name].get("supported") for name in _OPERATIONS if isinstance(document.get(name), dict)}
    return {name: supported is True for name, supported in found.items()} or None


def _read_list(body: bytes, secrets: tuple[str, ...]) -> _Page:
    """Read a ListResponse.

    Raises:
        BadAnswerError: it is not JSON, was cut short, or is something else than a list of resources.
    """
    document = _object(read_json(body))
    get: Callable[[str], Any] = {str(key).lower(): value for key, value in document.items()}.get  # RFC 7643, 2.1
    resources, total, per_page = get("resources"), get("totalresults"), get("itemsperpage")
    strays: list[str] = []
    if resources is None:
        if total is None:
            raise BadAnswerError("an object came where a SCIM list was asked for")
        resources = []  # RFC 7644, 3.4.2: it may be left out where nothing is returned
    if not isinstance(resources, list):
        raise BadAnswerError("'Resources' is not a list")
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 10:
        total = int(total)
        strays.append("totalResults is text")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        total = None
        strays.append("no usable totalResults")
    if per_page is not None and resources and per_page != len(resources):
        strays.append("itemsPerPage is not the number of records")
    ids: list[Key] = []
    for item in resources:
        record_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)  # as SQL will read it
            strays.append("an id is a number")
        if isinstance(record_id, str) and record_id:
            ids.append(record_id)
        else:
            strays.append("a record without an id" if isinstance(item, dict) else "something that is not a record")
    # the list is taken out of its envelope, so what is kept has a hash of its own in any case
    kept = without_secrets(resources, secrets)
    records = Records(tuple(ids), len(resources) - len(ids), kept, True, hashlib.sha256(body).hexdigest())
    return _Page(records, total, tuple(strays))
