"""Reads the sources of a configuration into a new snapshot."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__, inputs
from pipeline.clock import as_stored, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, LoginError, SourceError, UsageError, WarehouseError
from pipeline.kept_key import kept_key
from pipeline.progress import StageTimer
from pipeline.results import ExtractResult
from pipeline.settings import Credentials, Secret, Settings, SourceSettings
from pipeline.spool import SourceOutcome, Spool, temporary_spool
from pipeline.warehouse import database, landing, snapshots

if TYPE_CHECKING:
    from pipeline.sources.extract import ExtractJob

__all__ = ["extract", "read_row_key"]

#: The disk, or this user's share of it, is full.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def extract(
    settings: Settings,
    environment: Mapping[str, str],
    names: Sequence[str],
    timer: StageTimer,
    shard: str | None = None,
    refused: MutableMapping[str, LoginError] | None = None,
) -> ExtractResult:
    """Read sources into a new snapshot: those named, or all that are configured.

    ``shard`` is the part of the accounts to read, as ``2/5``. A source that fails does not lose the pages of
    the others. The database is opened only to store what was read. ``refused`` has the sources that refused a login,
    which fail without being contacted; those that refuse this one are added.

    Raises:
        UsageError: ``shard`` is no shard, or a source cannot be read in shards; nothing was contacted.
        ConfigurationError: no source, an unknown one, or a missing secret; nothing was contacted.
        SourceError: no source gave a single page of accounts; there is no snapshot.
        WarehouseError: the pages could not be stored; there is no snapshot.
    """
    sources = inputs.sources(settings, names)
    _check_shard(sources, shard)
    if skipped := [source.name for source in settings.sources if source not in sources]:
        timer.note(f"not extracted: {', '.join(skipped)}")
    # All secrets first: a missing one is an error before any source is contacted.
    known = [(source, source.credentials(environment), source.scim_token(environment)) for source in sources]
    row_key = read_row_key(settings.warehouse.database)
    started_at = as_stored(utc_now())
    snapshot_id = f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    with _spool(settings, snapshot_id) as spool:
        failures = _read_all(spool, row_key, known, timer, shard, {} if refused is None else refused)
        spool.close()
        finished_at = as_stored(utc_now())
        if failures and not _has_accounts(spool):
            raise failures[0]
        landing_job = landing.LandingJob(
            policy_files=inputs.policy_files(settings),
            not_extracted=skipped,
            snapshot_id=snapshot_id,
            started_at=started_at,
            finished_at=finished_at,
            tool_version=__version__,
            config_sha256=settings.sha256,
        )
        snapshot = _land(settings, spool, landing_job, timer)
    return ExtractResult(
        snapshot_id=snapshot_id,
        completeness=snapshot.completeness,
        reason=snapshot.reason,
        started_at=snapshot.started_at,
        finished_at=snapshot.finished_at,
        failures=tuple(failures),
        warnings=tuple(timer.notes),
    )


def _read_all(
    spool: Spool,
    row_key: bytes,
    known: Sequence[tuple[SourceSettings, Credentials, Secret | None]],
    timer: StageTimer,
    shard: str | None,
    refused: MutableMapping[str, LoginError],
) -> list[AccessReviewError]:
    """Read the sources one after the other, each with its secrets; return the errors of those that failed."""
    from pipeline.sources.extract import ExtractJob

    failures: list[AccessReviewError] = []
    for source, credentials, scim_token in known:
        if source.name in refused:
            spool.write_outcome(_refused(source, refused[source.name]))
            failures.append(refused[source.name])
            continue
        try:
            job = ExtractJob(source, spool, timer.advance, row_key=row_key, note=timer.note, shard=shard)
            _read(job, credentials, scim_token, timer)
        except (SourceError, ConfigurationError) as error:
            failures.append(error)
            if isinstance(error, LoginError):
                refused[source.name] = error
    return failures


def _refused(source: SourceSettings, error: LoginError) -> SourceOutcome:
    """Return the outcome of a source that is not contacted, because it refused a login before."""
    return SourceOutcome(source.name, source.kind, source.url, error=str(error), hint=error.hint)


def _has_accounts(spool: Spool) -> bool:
    """Return whether a page of accounts was kept. Roles and groups, which are read beside them, are no population."""
    return any(page.file is not None and page.resource.endswith(("users", "accounts")) for page in spool.pages())


def _land(settings: Settings, spool: Spool, job: landing.LandingJob, timer: StageTimer) -> snapshots.Snapshot:
    """Land what was read; the database is open only now."""
    timer.stage("land")
    with database.writing(settings.warehouse.database, notify=timer.note) as connection:
        snapshot = landing.land(connection, spool, inputs.completeness_models(), job)
        rows = snapshots.row_count(connection, job.snapshot_id)
    timer.advance("rows", rows, rows)
    return snapshot


def _check_shard(sources: Sequence[SourceSettings], shard: str | None) -> None:
    """Refuse a shard that is none, and sources that have no order of ids.

    Raises:
        UsageError: see above.
    """
    if shard is None:
        return
    from pipeline.sources.sisense.shards import Shard

    Shard.parse(shard)
    for source in sources:
        if source.kind != "sisense":
            raise UsageError(
                f"a source of kind '{source.kind}' cannot be read in shards",
                where=f"source '{source.name}'",
                hint="extract it whole, and merge its snapshot with the others",
            )


def _read(job: ExtractJob, credentials: Credentials, scim_token: Secret | None, timer: StageTimer) -> None:
    """Read one source into the spool."""
    from pipeline.sources.directories import extract as directories
    from pipeline.sources.files import extract as files
    from pipeline.sources.scim import extract as scim
    from pipeline.sources.sisense import extract as sisense

    source = job.source
    timer.stage(f"extract {source.name}")
    for warning in source.warns_of_plain_http(credentials):
        timer.note(warning)
    if source.kind == "sisense":
        sisense.extract(job, credentials)
    elif source.is_directory:
        directories.extract(job, credentials)
    elif source.kind == "files":
        files.extract(job)
    elif scim_token is not None:
        scim.extract(job, scim_token)
    if source.scim_url is not None and scim_token is not None and job.is_first_shard:
        timer.stage(f"extract {source.name} by SCIM")
        scim.extract_beside(job, scim_token)


def read_row_key(database_path: Path) -> bytes:
    """Return the key of the hashes that stand for values of row rules, which is made once for each database.

    It is in a file beside the database that only this user may read. Without it, the hashes tell nothing about
    values.

    Raises:
        WarehouseError: the file cannot be written or read.
    """
    path = database_path.with_name(database_path.name + ".row-key")
    return kept_key(path, "row values", hint="remove the file; the next extract makes a new one")


@contextmanager
def _spool(settings: Settings, snapshot_id: str) -> Iterator[Spool]:
    """Yield a new spool beside the database; it is removed at the end, when the database has what counts."""
    path = settings.warehouse.database
    parent = path.with_name(path.name + ".spool")
    made = False
    try:
        with temporary_spool(parent, snapshot_id) as spool:
            made = True
            yield spool
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise WarehouseError(
                f"the pages cannot be kept: {error.strerror}",
                where=str(parent),
                hint="free some space on that disk, then run this again; nothing of this extract was stored",
            ) from error
        if made:
            raise
        raise WarehouseError(
            f"the spool cannot be made: {error.strerror}",
            where=str(parent),
            hint="check the path and its permissions",
        ) from error
