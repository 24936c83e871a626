"""Merges the snapshots of several extracts, from this database and others, into a new snapshot."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pipeline import __version__, inputs
from pipeline.clock import as_stored, utc_now
from pipeline.progress import StageTimer
from pipeline.results import ExtractResult
from pipeline.settings import Settings
from pipeline.warehouse import database, merging, snapshots
from pipeline.warehouse.landing import LandingJob

__all__ = ["merge"]


def merge(
    settings: Settings,
    snapshot_ids: Sequence[str],
    timer: StageTimer,
    *,
    databases: Sequence[Path],
    within: timedelta,
) -> ExtractResult:
    """Merge snapshots into a new one: all shards of a source, sources that were read whole, or both.

    ``databases`` are other database files in which the snapshots may be. ``within`` is how much time may lie between
    the first start and the last end of the extracts.

    Raises:
        UsageError: the snapshots do not fit together.
        ConfigurationError: a policy file is wrong.
        WarehouseError: a database cannot be read, or does not have a snapshot. This database is then unchanged.
    """
    timer.stage("merge")
    with database.writing(settings.warehouse.database, notify=timer.note) as connection:
        with merging.attached(connection, databases) as catalogs:
            parts = merging.find_parts(connection, catalogs, snapshot_ids)
            merging.check_fit(parts, within)
            job = LandingJob(
                snapshot_id=f"{as_stored(utc_now()):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
                started_at=min(part.started_at for part in parts),
                finished_at=max(part.finished_at for part in parts),
                policy_files=inputs.policy_files(settings),
                tool_version=__version__,
                config_sha256=settings.sha256,
            )
            snapshot = merging.merge(connection, parts, inputs.completeness_models(), job)
        rows = snapshots.row_count(connection, snapshot.snapshot_id)
    timer.advance("rows", rows, rows)
    return ExtractResult(
        snapshot_id=snapshot.snapshot_id,
        completeness=snapshot.completeness,
        reason=snapshot.reason,
        started_at=snapshot.started_at,
        finished_at=snapshot.finished_at,
        failures=(),
        warnings=tuple(timer.notes),
    )
