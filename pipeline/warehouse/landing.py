"""Lands a spool: pages become rows of ``raw``, and the extract becomes a row of ``meta.snapshots``.

Everything is one transaction: a snapshot is visible whole, with its completeness judged, or not at all. DuckDB parses
the pages; Python never sees a record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime

import duckdb

from pipeline.errors import WarehouseError
from pipeline.spool import Outcome, Spool
from pipeline.warehouse import checks, database, files, policy, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.snapshots import RESOURCES, Snapshot

__all__ = ["land"]

#: DuckDB's own default for one JSON value, in bytes; a page larger than this needs room of its size.
_JSON_VALUE_BYTES = 16 * 1024 * 1024
#: What landing may hold in memory at once, in bytes; the rest waits on disk. A million accounts land in half of it.
_MEMORY_BYTES = 512 * 1024 * 1024
#: How the journal of a spool is read: a line a request.
_JOURNAL = """
    format = 'newline_delimited', columns = {
        source: 'varchar', resource: 'varchar', sweep: 'integer', page: 'integer', "offset": 'bigint',
        url: 'varchar', status: 'integer', items: 'bigint', bytes: 'bigint', sha256: 'varchar',
        redacted_sha256: 'varchar', started_at: 'timestamptz', fetched_at: 'timestamptz', elapsed_ms: 'bigint',
        attempts: 'integer', file: 'varchar'
    }
"""


def land(
    connection: Connection,
    spool: Spool,
    models: Sequence[Model],
    *,
    policy_files: PolicyFiles,
    not_extracted: Sequence[str] = (),
    snapshot_id: str,
    started_at: datetime,
    finished_at: datetime,
    tool_version: str,
    config_sha256: str,
) -> Snapshot:
    """Land one extract and judge its completeness; return its row.

    ``not_extracted`` are sources that are configured and were left out on purpose; the reconciliation names them.

    Raises:
        ConfigurationError: a policy file is wrong.
        WarehouseError: the pages cannot be read back, or the disk is full. Nothing is visible then.
    """
    outcomes = spool.outcomes()
    try:
        with database.transaction(connection):
            # The completeness checks need the ranks of roles, which a policy file may change.
            policy.load_reference(connection, policy_files.defaults)
            policy.load_policy(connection, policy_files)
            _land_sources(connection, snapshot_id, outcomes)
            _land_pages(connection, snapshot_id, spool, outcomes)
            for resource in RESOURCES:
                _land_rows(connection, snapshot_id, spool, resource)
            row = connection.execute(
                "select max(snapshot_id) from meta.snapshots where snapshot_id < $id", {"id": snapshot_id}
            ).fetchone()
            landed = Snapshot(
                snapshot_id=snapshot_id,
                started_at=started_at,
                finished_at=finished_at,
                as_of=finished_at.replace(microsecond=0),
                completeness="UNKNOWN",
                reason=None,
                tool_version=tool_version,
                config_sha256=config_sha256,
                previous_snapshot_id=row[0] if row else None,
            )
            _insert_snapshot(connection, landed)
            completeness, reason = checks.completeness(connection, models, outcomes, landed.snapshot_id, landed.as_of)
            for source in not_extracted:
                connection.execute(
                    """
                    insert into meta.reconciliation values (
                        $id, 'source_extracted', $source, 'Every configured source is part of the extract.',
                        'extracted', 'not extracted', null, 'FAIL',
                        'This source is configured, and was left out.', false
                    )
                    """,
                    {"id": snapshot_id, "source": source},
                )
            connection.execute(
                "update meta.snapshots set completeness = $completeness, reason = $reason where snapshot_id = $id",
                {"completeness": completeness, "reason": reason, "id": snapshot_id},
            )
    except duckdb.Error as error:
        raise WarehouseError(
            f"the extract could not be landed: {str(error).splitlines()[0]}",
            where="database",
            hint="free some disk space if it is full, then run the extract again; earlier snapshots are whole",
        ) from error
    return snapshots.get(connection, snapshot_id)


def _insert_snapshot(connection: Connection, landed: Snapshot) -> None:
    connection.execute(
        "insert into meta.snapshots values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)",
        [
            landed.snapshot_id,
            landed.started_at,
            landed.finished_at,
            landed.as_of,
            landed.completeness,
            landed.reason,
            landed.tool_version,
            landed.config_sha256,
            landed.previous_snapshot_id,
        ],
    )


def _land_sources(connection: Connection, snapshot_id: str, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        connection.execute(
            """
            insert into meta.sources
            select $snapshot_id, $source, $kind, $url, $api, $version, $user_name, $account_id, $role_id, $role_name,
                   $users_before, $users_after, $skew, $settings::json, $missing::json,
                   $started_at::timestamptz at time zone 'UTC', $finished_at::timestamptz at time zone 'UTC',
                   $error
            """,
            {
                "snapshot_id": snapshot_id,
                "source": outcome.source,
                "kind": outcome.kind,
                "url": outcome.url,
                "api": outcome.api,
                "version": outcome.version,
                "user_name": outcome.principal.user_name,
                "account_id": outcome.principal.account_id,
                "role_id": outcome.principal.role_id,
                "role_name": outcome.principal.role_name,
                "users_before": outcome.server_counts.get("users_before"),
                "users_after": outcome.server_counts.get("users_after"),
                "skew": outcome.clock_skew_seconds,
                "settings": json.dumps(outcome.settings, sort_keys=True),
                "missing": json.dumps(outcome.missing, sort_keys=True),
                "started_at": outcome.started_at,
                "finished_at": outcome.finished_at,
                "error": outcome.error,
            },
        )


def _land_pages(connection: Connection, snapshot_id: str, spool: Spool, outcomes: Sequence[Outcome]) -> None:
    connection.execute("create or replace temp table accepted (source varchar, resource varchar, sweep integer)")
    accepted = [(o.source, resource, sweep) for o in outcomes for resource, sweep in o.accepted_sweeps.items()]
    if accepted:
        connection.executemany("insert into accepted values ($1, $2, $3)", accepted)
    connection.execute(
        """
        create or replace temp table shared_records (
            source varchar, resource varchar, sweep integer, "offset" bigint
        )
        """
    )
    for outcome in outcomes:
        for resource, sweeps in outcome.overlaps.items():
            for sweep, offsets in enumerate(sweeps, 1):
                connection.execute(
                    "insert into shared_records select $source, $resource, $sweep, unnest($offsets)",
                    {"source": outcome.source, "resource": resource, "sweep": sweep, "offsets": offsets},
                )
    journal = files.json([spool.folder / "pages.jsonl"], _JOURNAL)
    connection.execute(
        f"""
        create or replace temp table spooled as
        select
            pages.* exclude (items), accepted.sweep is not null and pages.file is not null as is_accepted,
            -- the first record of the page is the last of the page before
            shared_records."offset" is not null as is_overlapping,
            pages.items - is_overlapping::bigint as items
        from {journal.sql} as pages
        left join accepted
            on accepted.source = pages.source and accepted.resource = pages.resource and accepted.sweep = pages.sweep
        left join shared_records
            on shared_records.source = pages.source and shared_records.resource = pages.resource
            and shared_records.sweep = pages.sweep and shared_records."offset" = pages."offset" and pages.items > 0
        """,
        journal.values,
    )
    connection.execute(
        """
        insert into meta.pages
        select $snapshot_id, source, resource, sweep, page, "offset", url, status, items, bytes, sha256,
               redacted_sha256, started_at at time zone 'UTC', fetched_at at time zone 'UTC', elapsed_ms, attempts,
               is_accepted
        from spooled
        order by source, resource, sweep, page
        """,
        {"snapshot_id": snapshot_id},
    )


def _land_rows(connection: Connection, snapshot_id: str, spool: Spool, resource: str) -> None:
    kept = connection.execute(
        "select file, bytes from spooled where resource = $resource and file is not null order by file",
        {"resource": resource},
    ).fetchall()
    if not kept:
        return
    # redaction may re-encode a page, and never doubles it
    largest = max(_JSON_VALUE_BYTES, *(2 * size for _, size in kept))
    # DuckDB reads with two threads or more, each into a buffer of twice the largest value
    room = 4 * largest * (os.cpu_count() or 1) if largest > _JSON_VALUE_BYTES else 0
    connection.execute("set memory_limit = $limit", {"limit": f"{_MEMORY_BYTES + room}B"})
    pages = files.json(
        [spool.folder / file for file, _ in kept],
        "format = 'unstructured', records = false, filename = true,"
        f" columns = {{list: 'json[]'}}, maximum_object_size = {largest}",
    )
    connection.execute(
        f"""
        insert into raw.{resource}
        with elements as (
            select filename, unnest(list) as payload, generate_subscripts(list, 1) as ordinal
            from {pages.sql}
        )
        select $snapshot_id, spooled.source, spooled.sweep, spooled.page, elements.ordinal, spooled.is_accepted,
               spooled.fetched_at at time zone 'UTC', coalesce(elements.payload, 'null'::json)
        from elements
        join spooled on elements.filename = $folder || spooled.file
        where elements.ordinal > spooled.is_overlapping::bigint
        """,
        {"folder": f"{spool.folder}/", "snapshot_id": snapshot_id, **pages.values},
    )
