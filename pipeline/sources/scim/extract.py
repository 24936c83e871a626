"""The extract of one SCIM endpoint: its users and groups into the spool."""

from __future__ import annotations

import dataclasses
from collections import Counter

from pipeline.settings import Secret
from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.extract import Extraction, ExtractJob, run, run_and_write
from pipeline.sources.paging import Reading
from pipeline.sources.records import Records
from pipeline.sources.scim.endpoint import ScimEndpoint, address, operations
from pipeline.sources.transport import Client
from pipeline.spool import Observation, SourceOutcome

__all__ = ["extract", "extract_beside"]


def extract(job: ExtractJob, token: Secret) -> SourceOutcome:
    """Read a source of kind ``scim`` into the spool; return its outcome, which is in the spool too.

    Raises:
        SourceError: the source failed. Its outcome, with the ``error``, was written before.
        ConfigurationError: the CA bundle or the token cannot be used. The outcome was written, too.
    """
    return run_and_write(job, _ScimReader(token))


def extract_beside(job: ExtractJob, token: Secret) -> None:
    """Read the SCIM endpoint beside a Sisense that was read, and add its outcome to that of the Sisense.

    Raises:
        SourceError: the endpoint failed. The outcome records it, and the extract is not complete.
    """
    at = address(job.source)
    found, failure = run(dataclasses.replace(job, source=at), _ScimReader(token))
    main = next(outcome for outcome in job.spool.outcomes() if outcome.source == job.source.name)
    job.spool.write_outcome(
        dataclasses.replace(
            main,
            accepted_sweeps=main.accepted_sweeps | found.accepted_sweeps,
            overlaps=main.overlaps | found.overlaps,
            server_counts=main.server_counts | {"scim_users": found.server_counts["users_after"]},
            missing=main.missing | found.missing,
            settings=main.settings
            | {"scim_url": at.url}
            | {key if key.startswith("scim_") else f"scim_{key}": value for key, value in found.settings.items()},
            observations=(*main.observations, *map(_named_for_scim, found.observations)),
            error=main.error or found.error,
            hint=main.hint or found.hint,
        )
    )
    if failure is not None:
        raise failure


class _ScimList:
    """A list for :func:`pipeline.sources.paging.read_list`; ``deviations`` counts what RFC 7644 does not allow."""

    def __init__(self, endpoint: ScimEndpoint, resource: str, path: str) -> None:
        self._endpoint = endpoint
        self._resource = resource
        self._path = path
        self.deviations: Counter[str] = Counter()

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records]:
        answer, page = await self._endpoint.list(self._path, offset + 1, limit)
        self.deviations.update(page.deviations)
        return answer, page.records

    async def count(self) -> int | None:
        try:
            answer, page = await self._endpoint.total(self._path)
        except (RefusedError, UnreadableError):
            return None
        self._endpoint.client.page_log.record(answer, f"{self._resource}_count")
        return page.total


class _ScimReader:
    """Reads users and groups (see :class:`~pipeline.sources.extract.SourceReader`)."""

    def __init__(self, token: Secret) -> None:
        self._token = token
        self._deviations: Counter[str] = Counter()
        self._missing: dict[str, str] = {}
        self._skew: float | None = None

    async def read(self, client: Client, extraction: Extraction) -> None:
        """Read everything: what the endpoint supports, then its users and groups."""
        endpoint = ScimEndpoint(client, self._token)
        await endpoint.first("/Users")
        found = await endpoint.configuration()
        if found is None:
            self._missing["ServiceProviderConfig"] = "which operations the endpoint supports is unknown"
        else:
            answer, document = found
            client.page_log.record(answer, "scim_config")
            self._skew = answer.skew_seconds
            supported = operations(document) or {}
            extraction.settings |= {f"scim_{name}": str(is_on).lower() for name, is_on in supported.items()}
        await self._read_list(endpoint, extraction, "users", "/Users")
        await self._read_list(endpoint, extraction, "groups", "/Groups")
        extraction.settings["requests"] = str(client.requests)

    def complete(self, outcome: SourceOutcome, extraction: Extraction) -> SourceOutcome:
        """Add what the endpoint supports, its own counts, and how its answers deviate from RFC 7644."""
        counted = (_counted(things, reading) for things, reading in extraction.readings.items())
        return dataclasses.replace(
            outcome,
            kind="scim",
            api="scim 2.0",
            missing=self._missing,
            settings={"page_size_asked": str(extraction.job.source.page_size)} | extraction.settings,
            clock_skew_seconds=self._skew,
            observations=(*outcome.observations, *counted, _as_specified(self._deviations)),
        )

    async def _read_list(self, endpoint: ScimEndpoint, extraction: Extraction, things: str, path: str) -> None:
        resource = f"scim_{things}"
        users_or_groups = _ScimList(endpoint, resource, path)
        try:
            reading = await extraction.read_list(users_or_groups, things, resource)
        finally:
            seen = users_or_groups.deviations
            self._deviations.update({f"{things}: {deviation}": count for deviation, count in seen.items()})
        extraction.settings[f"{resource}_page_size"] = str(reading.page_size)
        extraction.settings[f"{resource}_sweeps"] = str(reading.sweeps)


def _counted(things: str, reading: Reading) -> Observation:
    """Check that a list contains as many records as its server counts."""
    sweep = reading.accepted
    read = sweep.distinct_ids
    total = reading.after
    explanation = f"The endpoint counts {total} {things}, and {read} with an id were read."
    return Observation(
        check_id=f"scim_{things}_counted",
        description=f"The SCIM endpoint's own count of {things} equals the number read",
        expected=None if total is None else str(total),
        observed=str(read),
        difference=None if total is None else read - total,
        result="NOT_AVAILABLE" if total is None and not sweep.without_id else "PASS" if read == total else "FAIL",
        explanation=explanation if total is not None else f"The endpoint has no count of {things}; {read} were read.",
    )


def _as_specified(deviations: Counter[str]) -> Observation:
    """Check that every answer was what RFC 7644 specifies."""
    total = sum(deviations.values())
    listed = "; ".join(f"{count} x {deviation}" for deviation, count in sorted(deviations.items()))
    return Observation(
        check_id="scim_as_specified",
        description="Every answer is as RFC 7644 specifies",
        expected="0",
        observed=str(total),
        difference=total,
        result="FAIL" if total else "PASS",
        explanation=f"Read all the same: {listed}." if total else "No answer deviates from RFC 7644.",
        is_gate=False,
    )


def _named_for_scim(seen: Observation) -> Observation:
    if seen.check_id.startswith("scim_"):
        return seen
    return dataclasses.replace(seen, check_id=f"scim_{seen.check_id}", description=f"By SCIM: {seen.description}")
