"""Merges snapshots: the shards of one source, or different sources, become one snapshot with a proof of its own.

The argument that the union of shards is complete is in :mod:`pipeline.sources.sisense.shards`. What does not fit
together is refused here; the completeness checks decide between FULL and PARTIAL, as for any snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.errors import UsageError, WarehouseError
from pipeline.spool import Observation, SourceOutcome
from pipeline.warehouse import completeness, database, landing, migrations, policy, saved, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.landing import LandingJob
from pipeline.warehouse.model import Model
from pipeline.warehouse.snapshots import RESOURCES, Snapshot

__all__ = ["MergePart", "attached", "check_fit", "find_parts", "merge"]


@dataclass(frozen=True, slots=True)
class MergePart:
    """One source of one snapshot to merge. ``catalog`` is the name here of the database that holds it.

    ``number`` and ``shard_count`` are None if the source was read whole; ``ends`` are the ids at the ends of a shard.
    Times are UTC without a zone.
    """

    catalog: str
    snapshot_id: str
    source: str
    address: tuple[str, str, str | None]
    number: int | None
    shard_count: int | None
    ends: tuple[str, str]
    started_at: datetime
    finished_at: datetime

    @property
    def shard(self) -> str:
        """Return which part of the source this is, as ``--shard`` has it."""
        return f"{self.number}/{self.shard_count}" if self.number else "the whole source"


@contextmanager
def attached(connection: Connection, databases: Sequence[Path]) -> Iterator[list[str]]:
    """Attach databases read-only while the block runs; yield the names of all, this one first.

    Raises:
        WarehouseError: one does not exist, cannot be read, or is of another version.
    """
    own = connection.execute("select current_database()").fetchall()[0][0]
    catalogs = [f'"{own}"']
    try:
        for number, path in enumerate(databases, 1):
            if not path.exists():
                raise WarehouseError("there is no such database", where=str(path), hint="correct --from")
            try:
                connection.execute(f"attach $path as merged_{number} (read_only)", {"path": str(path)})
            except duckdb.Error as error:
                raise WarehouseError(
                    f"the database cannot be read: {str(error).splitlines()[0]}",
                    where=str(path),
                    hint="it must be a database of this program that no other process writes",
                ) from error
            catalogs.append(f"merged_{number}")
            migrations.require_same(connection, path, catalogs[-1])
        yield catalogs
    finally:
        for catalog in catalogs[1:]:
            connection.execute(f"detach {catalog}")


def find_parts(connection: Connection, catalogs: Sequence[str], snapshot_ids: Sequence[str]) -> list[MergePart]:
    """Return the sources of snapshots, each from the first of the attached databases that has it.

    Raises:
        WarehouseError: no database has one of the snapshots, or its rows were pruned.
    """
    parts: list[MergePart] = []
    for snapshot_id in dict.fromkeys(snapshot_ids):
        for catalog in catalogs:
            rows = connection.execute(
                "select source, url, kind, api, settings, sources.started_at, sources.finished_at"
                f" from {catalog}.meta.sources as sources join {catalog}.meta.snapshots as found using (snapshot_id)"
                " where snapshot_id = $id and found.pruned_at is null order by source",
                {"id": snapshot_id},
            ).fetchall()
            if rows:
                parts += [_part(catalog, snapshot_id, row) for row in rows]
                break
        else:
            raise WarehouseError(
                f"there is no snapshot '{snapshot_id}' with rows",
                where="",
                hint="'access-review snapshots list' shows those of this database; name other databases with --from",
            )
    return parts


def _part(catalog: str, snapshot_id: str, row: tuple[object, ...]) -> MergePart:
    source, url, kind, api, document, started_at, finished_at = row
    settings: Mapping[str, str] = json.loads(str(document))
    number, _, shard_count = settings.get("shard", "").partition("/")
    assert isinstance(started_at, datetime) and isinstance(finished_at, datetime)  # noqa: S101, PT018  never null
    return MergePart(
        catalog=catalog,
        snapshot_id=snapshot_id,
        source=str(source),
        address=(str(url), str(kind), None if api is None else str(api)),
        number=int(number) if number else None,
        shard_count=int(shard_count) if number else None,
        ends=(settings.get("shard_first_id", ""), settings.get("shard_last_id", "")),
        started_at=started_at,
        finished_at=finished_at,
    )


def check_fit(parts: Sequence[MergePart], within: timedelta) -> None:
    """Refuse parts that are not one list: all shards of each source, each once, of one server, close in time.

    Raises:
        UsageError: they do not fit.
    """
    for source in dict.fromkeys(part.source for part in parts):
        own = sorted((part for part in parts if part.source == source), key=lambda part: part.number or 0)
        if len({part.shard_count for part in own}) > 1:
            raise _misfit(source, f"different counts of shards: {', '.join(part.shard for part in own)}")
        if len({part.address for part in own}) > 1:
            raise _misfit(source, f"read from different servers: {', '.join(sorted({p.address[0] for p in own}))}")
        numbers = [part.number or 1 for part in own]
        count = own[0].shard_count or 1
        if doubled := sorted({number for number in numbers if numbers.count(number) > 1}):
            raise _misfit(source, f"shard {doubled[0]} of {count} is there {numbers.count(doubled[0])} times")
        if missing := sorted(set(range(1, count + 1)).difference(numbers)):
            raise _misfit(source, f"not there: shard {', '.join(f'{number}/{count}' for number in missing)}")
    window = max(part.finished_at for part in parts) - min(part.started_at for part in parts)
    if window > within:
        raise UsageError(
            f"the snapshots do not fit together: {window} from the first start to the last end",
            where="merge",
            hint=f"extract the oldest again, or allow more than {within / timedelta(hours=1):g} hours with --within",
        )


def _misfit(source: str, message: str) -> UsageError:
    return UsageError(
        f"the snapshots do not fit together: {message}",
        where=f"source '{source}'",
        hint="name every shard once, all read from the same server with the same N in --shard K/N",
    )


def merge(connection: Connection, parts: Sequence[MergePart], models: Sequence[Model], job: LandingJob) -> Snapshot:
    """Copy parts that fit into one new snapshot, and check its completeness with ``models``; return it.

    Raises:
        ConfigurationError: a policy file is wrong.
        WarehouseError: the rows cannot be copied. The database is then unchanged.
    """
    try:
        connection.execute("set memory_limit = $limit", {"limit": f"{completeness.MEMORY_BYTES}B"})
        with database.transaction(connection):
            policy.load_reference(connection, job.policy_files.defaults)
            policy.load_policy(connection, job.policy_files)
            landing.land_snapshot(connection, job)
            outcomes = _copy(connection, parts, models, job.snapshot_id)
            completeness.check(connection, models, outcomes, snapshots.get(connection, job.snapshot_id))
    except duckdb.Error as error:
        raise WarehouseError(
            f"the snapshots could not be merged: {str(error).splitlines()[0]}",
            where="database",
            hint="free some space if the disk or the memory is full; all databases must be of this program's version",
        ) from error
    return snapshots.get(connection, job.snapshot_id)


def _copy(
    connection: Connection, parts: Sequence[MergePart], models: Sequence[Model], snapshot_id: str
) -> list[SourceOutcome]:
    """Copy all parts; return the checks that the extracts made, by source. Those of ``models`` are made again."""
    connection.execute(
        "create or replace temp table merged_checks as select *, 0 as number from meta.reconciliation limit 0"
    )
    ordered = sorted(parts, key=lambda part: (part.source, part.number or 0))
    for part in ordered:
        _copy_part(connection, part, snapshot_id)
    for part in ordered:
        if part.number in (None, 1):
            values = {"snapshot_id": snapshot_id, "part": part.snapshot_id, "source": part.source}
            _insert(connection, "meta.sources", "merged_source", part, {"part_sources": "meta.sources"}, values)
    computed = {
        "computed": [model.name for model in models if not model.each],
        "computed_by_list": [model.name for model in models if model.each],
    }
    found = connection.execute(saved.statement("landing", "merged_checks"), computed).fetchall()
    connection.execute("drop table temp.merged_checks")
    addresses = {part.source: part.address for part in ordered}
    return [
        SourceOutcome(
            source, kind, url, observations=tuple(Observation(*row[1:]) for row in found if row[0] == source)
        )
        for source, (url, kind, _) in addresses.items()
    ]


def _copy_part(connection: Connection, part: MergePart, snapshot_id: str) -> None:
    """Copy the rows of one part. Of all shards but the first, only the accounts count."""
    pages = connection.execute(
        "select coalesce(max(page), 0) from meta.pages where snapshot_id = $id and source = $source",
        {"id": snapshot_id, "source": part.source},
    ).fetchall()[0][0]
    is_first = part.number in (None, 1)
    values = {"snapshot_id": snapshot_id, "part": part.snapshot_id, "source": part.source, "pages": pages}
    shard = {
        "number": part.number or 1,
        "shard_count": part.shard_count or 0,
        "first_id": part.ends[0],
        "last_id": part.ends[1],
    }
    given = {"part_sources": "meta.sources", "part_checks": "meta.reconciliation"}
    _insert(connection, "meta.shards", "merged_shards", part, given, values | shard)
    _insert(
        connection, "meta.pages", "merged_pages", part, {"part_pages": "meta.pages"}, values | {"is_first": is_first}
    )
    for resource in RESOURCES if is_first else ("users",):
        _insert(connection, f"raw.{resource}", "merged_records", part, {"part_records": f"raw.{resource}"}, values)
    connection.execute(
        f"insert into temp.merged_checks select *, $number from {part.catalog}.meta.reconciliation"
        " where snapshot_id = $part and source = $source",
        {"number": part.number or 1, "part": part.snapshot_id, "source": part.source},
    )


def _insert(
    connection: Connection,
    table: str,
    name: str,
    part: MergePart,
    given: Mapping[str, str],
    values: Mapping[str, object],
) -> None:
    """Insert what a statement selects from tables of the part's database, which are ``given`` under other names."""
    tables = ", ".join(f"{alias} as (from {part.catalog}.{place})" for alias, place in given.items())
    statement = saved.statement("landing", name)
    connection.execute(f"insert into {table} by name with {tables} from ({statement})", dict(values))
