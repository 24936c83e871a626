"""Reads the sources of a configuration into a new snapshot."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from pipeline import __version__, inputs
from pipeline.clock import as_stored, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, SourceError, WarehouseError
from pipeline.progress import StageTimer
from pipeline.results import ExtractResult
from pipeline.settings import Credentials, Secret, Settings, SourceSettings
from pipeline.spool import Spool, temporary_spool
from pipeline.warehouse import database, landing, snapshots

__all__ = ["extract"]


def extract(
    settings: Settings, environment: Mapping[str, str], names: Sequence[str], timer: StageTimer
) -> ExtractResult:
    """Read sources into a new snapshot: those named, or all that are configured.

    The database is opened only to store what was read. A source that fails does not lose the pages of the others.

    Raises:
        ConfigurationError: no source, an unknown one, or a missing secret; nothing was contacted.
        SourceError: no source gave a single page; there is no snapshot.
        WarehouseError: the pages could not be stored; there is no snapshot.
    """
    sources = inputs.sources(settings, names)
    skipped = [source.name for source in settings.sources if source not in sources]
    if skipped:
        timer.note(f"not extracted: {', '.join(skipped)}")
    # All secrets first: a missing one is an error before any source is contacted.
    credentials = {source.name: source.credentials(environment) for source in sources}
    scim_tokens = {source.name: source.scim_token(environment) for source in sources}
    started_at = as_stored(utc_now())
    snapshot_id = f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    with _spool(settings, snapshot_id) as spool:
        failures: list[AccessReviewError] = []
        for source in sources:
            try:
                _read(source, credentials[source.name], scim_tokens[source.name], spool, timer)
            except (SourceError, ConfigurationError) as error:
                failures.append(error)
        spool.close()
        finished_at = as_stored(utc_now())
        if failures and not any(page.file for page in spool.pages()):
            raise failures[0]
        timer.stage("land")
        with database.writing(settings.warehouse.database, notify=timer.note) as connection:
            job = landing.LandingJob(
                policy_files=inputs.policy_files(settings),
                not_extracted=skipped,
                snapshot_id=snapshot_id,
                started_at=started_at,
                finished_at=finished_at,
                tool_version=__version__,
                config_sha256=settings.sha256,
            )
            snapshot = landing.land(connection, spool, inputs.completeness_models(), job)
            rows = snapshots.row_count(connection, snapshot_id)
        timer.advance("rows", rows, rows)
    return ExtractResult(
        snapshot_id=snapshot_id,
        completeness=snapshot.completeness,
        reason=snapshot.reason,
        started_at=snapshot.started_at,
        finished_at=snapshot.finished_at,
        failures=tuple(failures),
        warnings=tuple(timer.notes),
    )


def _read(
    source: SourceSettings, credentials: Credentials, scim_token: Secret | None, spool: Spool, timer: StageTimer
) -> None:
    """Read one source into the spool."""
    from pipeline.sources.extract import ExtractJob
    from pipeline.sources.scim import extract as scim
    from pipeline.sources.sisense import extract as sisense

    job = ExtractJob(source, spool, timer.advance)
    timer.stage(f"extract {source.name}")
    if source.warns_of_plain_http(credentials):
        timer.note(f"the password of '{source.name}' travels unencrypted: {source.url} is plain http")
    if source.kind == "sisense":
        sisense.extract(job, credentials)
    elif scim_token is not None:
        scim.extract(job, scim_token)
    if source.scim_url is not None and scim_token is not None:
        timer.stage(f"extract {source.name} by SCIM")
        scim.extract_beside(job, scim_token)


@contextmanager
def _spool(settings: Settings, snapshot_id: str) -> Iterator[Spool]:
    """Yield a new spool beside the database; it is removed at the end, when the database has what counts."""
    path = settings.warehouse.database
    parent = path.with_name(path.name + ".spool")
    with ExitStack() as stack:
        try:
            spool = stack.enter_context(temporary_spool(parent, snapshot_id))
        except OSError as error:
            raise WarehouseError(
                f"the spool cannot be made: {error.strerror}",
                where=str(parent),
                hint="check the path and its permissions",
            ) from error
        yield spool
