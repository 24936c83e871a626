"""Lands a spool: pages become rows of ``raw``, and the extract becomes a row of ``meta.snapshots``.

One transaction covers everything: a snapshot is visible with all its rows and its completeness, or not at all. DuckDB
parses the pages; no record passes through Python.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from pipeline.errors import WarehouseError
from pipeline.spool import SourceOutcome, Spool
from pipeline.warehouse import completeness, database, files, policy, saved, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.snapshots import RESOURCES, Snapshot

__all__ = ["LandingJob", "land", "land_snapshot"]

#: DuckDB's default limit for one JSON value, in bytes. A larger page needs a larger limit.
_JSON_VALUE_BYTES = 16 * 1024 * 1024
#: The columns of ``pages.jsonl``, one line for each request.
_JOURNAL = """
    format = 'newline_delimited', columns = {
        source: 'varchar', resource: 'varchar', sweep: 'integer', page: 'integer', "offset": 'bigint',
        url: 'varchar', status: 'integer', items: 'bigint', bytes: 'bigint', sha256: 'varchar',
        redacted_sha256: 'varchar', started_at: 'timestamptz', fetched_at: 'timestamptz', elapsed_ms: 'bigint',
        attempts: 'integer', file: 'varchar'
    }
"""


@dataclass(frozen=True, slots=True)
class LandingJob:
    """The extract to land. Times are UTC without a zone.

    ``not_extracted`` are configured sources that were left out on purpose; the reconciliation names them.
    """

    snapshot_id: str
    started_at: datetime
    finished_at: datetime
    policy_files: PolicyFiles
    tool_version: str
    config_sha256: str
    not_extracted: Sequence[str] = ()


def land(connection: Connection, spool: Spool, models: Sequence[Model], job: LandingJob) -> Snapshot:
    """Land one extract and check its completeness with ``models``; return its snapshot.

    Raises:
        ConfigurationError: a policy file is wrong.
        WarehouseError: the pages cannot be read back, or the disk is full. The database is then unchanged.
    """
    outcomes = spool.outcomes()
    try:
        with database.transaction(connection):
            # The completeness checks need the ranks of roles, which a policy file may change.
            policy.load_reference(connection, job.policy_files.defaults)
            policy.load_policy(connection, job.policy_files)
            land_snapshot(connection, job)
            database.insert(connection, "meta.sources", [_source(job.snapshot_id, outcome) for outcome in outcomes])
            _land_pages(connection, job.snapshot_id, spool, outcomes)
            for resource in RESOURCES:
                _land_records(connection, job.snapshot_id, spool, resource)
            connection.execute("drop table temp.landing_pages")
            completeness.check(connection, models, outcomes, snapshots.get(connection, job.snapshot_id))
            completeness.note_left_out(connection, job.snapshot_id, job.not_extracted)
    except duckdb.Error as error:
        raise WarehouseError(
            f"the extract could not be landed: {str(error).splitlines()[0]}",
            where="database",
            hint="free disk space, or memory if that ran out, then extract again; earlier snapshots are unharmed",
        ) from error
    return snapshots.get(connection, job.snapshot_id)


def land_snapshot(connection: Connection, job: LandingJob) -> None:
    """Make the row of ``meta.snapshots``; its completeness is not known yet."""
    previous = connection.execute(
        "select max(snapshot_id) from meta.snapshots where snapshot_id < $id", {"id": job.snapshot_id}
    ).fetchall()
    snapshot = {
        "snapshot_id": job.snapshot_id,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "as_of": job.finished_at.replace(microsecond=0),
        "completeness": "UNKNOWN",
        "tool_version": job.tool_version,
        "config_sha256": job.config_sha256,
        "previous_snapshot_id": previous[0][0],
    }
    database.insert(connection, "meta.snapshots", [snapshot])


def _source(snapshot_id: str, outcome: SourceOutcome) -> dict[str, object]:
    """Return the row of ``meta.sources`` for one source."""
    return {
        "snapshot_id": snapshot_id,
        "source": outcome.source,
        "kind": outcome.kind,
        "url": outcome.url,
        "api": outcome.api,
        "version": outcome.version,
        "principal_user_name": outcome.principal.user_name,
        "principal_account_id": outcome.principal.account_id,
        "principal_role_id": outcome.principal.role_id,
        "principal_role_name": outcome.principal.role_name,
        "users_before": outcome.server_counts.get("users_before"),
        "users_after": outcome.server_counts.get("users_after"),
        "clock_skew_seconds": outcome.clock_skew_seconds,
        "settings": json.dumps(outcome.settings, sort_keys=True),
        "missing": json.dumps(outcome.missing, sort_keys=True),
        "started_at": _utc(outcome.started_at),
        "finished_at": _utc(outcome.finished_at),
        "error": outcome.error,
    }


def _utc(text: str | None) -> datetime | None:
    """Return a time of the spool (ISO 8601 with a zone) in UTC without a zone, as the database stores times."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def _land_pages(connection: Connection, snapshot_id: str, spool: Spool, outcomes: Sequence[SourceOutcome]) -> None:
    """Land the journal of pages, and keep it as ``temp.landing_pages`` for the records."""
    accepted = [
        {"source": outcome.source, "resource": resource, "sweep": sweep}
        for outcome in outcomes
        for resource, sweep in outcome.accepted_sweeps.items()
    ]
    overlaps = [
        {"source": outcome.source, "resource": resource, "sweep": sweep, "offset": offset}
        for outcome in outcomes
        for resource, sweeps in outcome.overlaps.items()
        for sweep, offsets in enumerate(sweeps, start=1)
        for offset in offsets
    ]
    journal = files.json([spool.folder / "pages.jsonl"], _JOURNAL)
    pages = saved.statement("landing", "pages")
    connection.execute(
        f"create or replace temp table landing_pages as with journal as (from {journal.sql}) from ({pages})",
        {"accepted": json.dumps(accepted), "overlaps": json.dumps(overlaps), **journal.values},
    )
    connection.execute(
        "insert into meta.pages by name select $snapshot_id as snapshot_id, * exclude (file, is_overlapping)"
        " from temp.landing_pages order by source, resource, sweep, page",
        {"snapshot_id": snapshot_id},
    )


def _land_records(connection: Connection, snapshot_id: str, spool: Spool, resource: str) -> None:
    kept = connection.execute(
        "select file, bytes from temp.landing_pages where resource = $resource and file is not null order by file",
        {"resource": resource},
    ).fetchall()
    if not kept:
        return
    # Redaction may re-encode a page, but never doubles its size.
    largest = max(_JSON_VALUE_BYTES, *(2 * size for _, size in kept))
    # DuckDB reads with at least two threads, each with a buffer of twice the largest value.
    room = 4 * largest * (os.cpu_count() or 1) if largest > _JSON_VALUE_BYTES else 0
    connection.execute("set memory_limit = $limit", {"limit": f"{completeness.MEMORY_BYTES + room}B"})
    pages = files.json(
        [spool.folder / file for file, _ in kept],
        "format = 'unstructured', records = false, filename = true,"
        f" columns = {{list: 'json[]'}}, maximum_object_size = {largest}",
    )
    records = saved.statement("landing", "records")
    connection.execute(
        f"insert into raw.{resource} by name with page_files as (from {pages.sql}) from ({records})",
        {"folder": f"{spool.folder}/", "snapshot_id": snapshot_id, **pages.values},
    )
