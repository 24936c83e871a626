"""The stages in order: extract, build, report. Each is usable alone; ``run`` is all three.

Everything outside the program is handed in: settings, environment, and the :class:`Progress` that says how far it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pipeline import __version__, resources
from pipeline.errors import (
    AccessReviewError,
    ConfigurationError,
    IncompleteError,
    SourceError,
    SupersededError,
    WarehouseError,
)
from pipeline.progress import Progress, StageCost, StageTimer
from pipeline.settings import Settings, SourceSettings
from pipeline.spool import Spool, held
from pipeline.warehouse import chain, database, landing, snapshots
from pipeline.warehouse.build import Build, Inputs
from pipeline.warehouse.build import build as build_models
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import LANDING_LAYERS, load_folder
from pipeline.warehouse.policy import PolicyFiles, check_rule_ids, load_policy, load_reference
from pipeline.warehouse.roster import load_roster
from pipeline.warehouse.roster_columns import RosterFormat
from pipeline.warehouse.rules import RuleInForce, in_force
from pipeline.warehouse.snapshots import Snapshot

__all__ = [
    "Extract",
    "Progress",
    "Report",
    "Result",
    "UnevaluatedRule",
    "build",
    "check_policy",
    "check_roster",
    "current_and_newest",
    "extract",
    "incomplete",
    "judges",
    "models",
    "no_source",
    "policy_files",
    "report",
    "rules",
    "run",
]


#: How often a run builds its snapshot again because another process built something else in between.
_MOST_BUILDS = 3


@dataclass(frozen=True, slots=True)
class Extract:
    """A landed snapshot, and the sources that failed in it."""

    snapshot: Snapshot
    failures: tuple[AccessReviewError, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What ``run`` did: the snapshot, the build, the report's folder and files, and what each stage cost."""

    snapshot: Snapshot
    build: Build
    folder: Path
    files: tuple[Path, ...]
    open_findings: Mapping[str, int]
    unevaluated_rules: tuple[UnevaluatedRule, ...]
    coverage: str
    stages: tuple[StageCost, ...]


@dataclass(frozen=True, slots=True)
class UnevaluatedRule:
    """A rule without a result: ``outcome`` is ``off`` or ``not_evaluated``, ``reason`` says why in words."""

    rule_id: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was written: its folder and files, and what its build found and could not evaluate.

    ``coverage`` says in a sentence or two how many rules have no result, and why.
    """

    folder: Path
    files: tuple[Path, ...]
    open_findings: Mapping[str, int]
    unevaluated_rules: tuple[UnevaluatedRule, ...]
    coverage: str


@cache
def models() -> tuple[Model, ...]:
    """Read every model that ships with the program, once: they do not change while it runs.

    Raises:
        ModelError: one of them is wrong.
    """
    return tuple(load_folder(resources.sql()))


@cache
def judges() -> tuple[Model, ...]:
    """Read only what judges an extract when it lands.

    Raises:
        ModelError: one of them is wrong.
    """
    return tuple(load_folder(resources.sql(), LANDING_LAYERS))


def rules(settings: Settings, known: Sequence[Model]) -> list[RuleInForce]:
    """Return the rules as the configuration has them.

    Raises:
        ConfigurationError: ``[rules.*]`` names a rule or parameter that does not exist, or has the wrong type.
    """
    return in_force(known, settings.rules, where=str(settings.path))


def check_policy(settings: Settings) -> str:
    """Read the policy files as a build would; return what was read, in words.

    Raises:
        ConfigurationError: one of them is wrong.
    """
    files = policy_files(settings)
    with database.in_memory() as connection:
        load_reference(connection, files.defaults)
        load_policy(connection, files)
        check_rule_ids(connection, {model.name for model in models() if model.is_rule})
    return str(files.folder) if files.folder else "the defaults"


def check_roster(settings: Settings) -> str:
    """Read the roster as a build would; return what was read, in words.

    Raises:
        RosterError: it cannot be read, or a line makes no sense.
    """
    if settings.roster is None:
        return "none; rules that need one will judge nobody"
    if settings.roster.source is not None:
        return f"the users of source '{settings.roster.source}', as each extract reads them"
    with database.in_memory() as connection:
        notes: list[str] = []
        count, _ = load_roster(connection, settings.roster.path, _roster_format(settings), note=notes.append)
    people = "1 person" if count == 1 else f"{count} people"
    return "; ".join([f"{settings.roster.path}, {people}", *notes])


def _roster_format(settings: Settings) -> RosterFormat | None:
    return RosterFormat(settings.roster.preset, settings.roster.columns) if settings.roster else None


def extract(settings: Settings, names: Sequence[str], environment: Mapping[str, str], progress: Progress) -> Extract:
    """Read sources into a new snapshot: all that are configured, or those named.

    The database is opened only to land what was pulled. A source that fails does not lose the others' pages.

    Raises:
        ConfigurationError: no source, an unknown one, or a missing secret; nothing was contacted.
        SourceError: no source gave a single page; there is no snapshot.
        WarehouseError: the pages could not be landed; there is no snapshot.
    """
    sources = _chosen(settings, names)
    skipped = [source.name for source in settings.sources if source not in sources]
    if skipped:
        progress.note(f"not extracted: {', '.join(skipped)}")
    credentials = {source.name: source.credentials(environment) for source in sources}
    scim_tokens = {source.name: source.scim_token(environment) for source in sources}
    started_at = _now()
    snapshot_id = f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    with _spool(settings, snapshot_id) as spool:
        from pipeline.sources.scim import extract as scim
        from pipeline.sources.sisense import extract as sisense

        failures: list[AccessReviewError] = []
        for source in sources:
            progress.stage(f"extract {source.name}")
            if source.warns_of_plain_http(credentials[source.name]):
                progress.note(f"the password of '{source.name}' travels unencrypted: {source.url} is plain http")
            scim_token = scim_tokens[source.name]
            try:
                if source.kind == "sisense":
                    sisense.extract(source, credentials[source.name], spool, progress=progress.advance)
                elif scim_token is not None:
                    scim.extract(source, scim_token, spool, progress=progress.advance)
                if source.scim_url is not None and scim_token is not None:
                    progress.stage(f"extract {source.name} by SCIM")
                    scim.beside(source, scim_token, spool, progress=progress.advance)
            except (SourceError, ConfigurationError) as error:
                failures.append(error)
        spool.close()
        finished_at = _now()
        if failures and not any(page.file for page in spool.pages()):
            raise failures[0]
        progress.stage("land")
        with database.writing(settings.warehouse.database, notify=progress.note) as connection:
            job = landing.LandingJob(
                snapshot_id=snapshot_id,
                started_at=started_at,
                finished_at=finished_at,
                policy_files=policy_files(settings),
                tool_version=__version__,
                config_sha256=settings.sha256,
                not_extracted=skipped,
            )
            snapshot = landing.land(connection, spool, judges(), job)
            rows = snapshots.row_count(connection, snapshot_id)
        progress.advance("rows", rows, rows)
    return Extract(snapshot, tuple(failures))


def build(
    settings: Settings,
    progress: Progress,
    *,
    snapshot_id: str | None = None,
    as_of: datetime | None = None,
    baseline: str | None = None,
    allow_partial: bool = False,
) -> Build:
    """Build the models of a snapshot, by default the newest, as of its own end.

    Raises:
        ConfigurationError: rules, policy or roster are wrong.
        IncompleteError: the snapshot is not proven complete, and that was not allowed.
        WarehouseError: no such snapshot or baseline, or a model fails; the previous build stays.
    """
    known = models()
    in_use = rules(settings, known)
    progress.stage("build")
    with database.writing(settings.warehouse.database, notify=progress.note) as connection:
        snapshot = snapshots.get(connection, snapshot_id) if snapshot_id else snapshots.latest(connection)
        snapshot.require_rows()
        _refuse_partial(snapshot.completeness, snapshot.reason, allow_partial, progress)
        built = build_models(
            connection,
            known,
            Inputs(
                organization=settings.organization.name,
                policy_files=policy_files(settings),
                roster_path=settings.roster.path if settings.roster else None,
                roster_source=settings.roster.source if settings.roster else None,
                roster_format=_roster_format(settings),
                rules=in_use,
                snapshot=snapshot,
                as_of=as_of or snapshot.as_of,
                baseline_snapshot_id=baseline,
                tool_version=__version__,
            ),
            progress=progress.advance,
        )
    for warning in built.warnings:
        progress.note(warning)
    return built


def current_and_newest(settings: Settings, progress: Progress) -> tuple[str | None, str | None]:
    """Return the snapshot of the current build, and the newest one; None where there is none."""
    with database.reading(settings.warehouse.database, notify=progress.note) as connection:
        row = connection.execute("select snapshot_id from reference.snapshot").fetchone()
        known = snapshots.list_all(connection)
    return row[0] if row else None, known[-1].snapshot_id if known else None


def report(
    settings: Settings,
    environment: Mapping[str, str],
    progress: Progress,
    *,
    formats: frozenset[str],
    directory: Path | None = None,
    allow_partial: bool = False,
    build_id: str | None = None,
    annex: bool = False,
) -> Report:
    """Write the report of the current build.

    It is signed if the environment names a signing key, and remembered, so that the next snapshot's is chained to it.

    Raises:
        ConfigurationError: the signing key cannot be used.
        SupersededError: the current build is not ``build_id``, where that is given.
        IncompleteError: the snapshot is not proven complete, and that was not allowed.
        WarehouseError: nothing has been built yet.
        RenderError: a file could not be written; an earlier report folder is untouched.
    """
    from pipeline.evidence.signature import signing_key
    from pipeline.reporting.report import write
    from pipeline.reporting.summary import coverage

    key = signing_key(environment)
    progress.stage("report")
    with database.reading(
        settings.warehouse.database, notify=progress.note, memory=database.RENDERING_MEMORY
    ) as connection:
        current = connection.execute(
            "select build_id, completeness, reason, snapshot_id from reference.snapshot"
        ).fetchall()
        if not current:
            raise WarehouseError(
                "nothing has been built yet", where=str(settings.warehouse.database), hint="run 'access-review build'"
            )
        current_id, completeness, reason, snapshot_id = current[0]
        if build_id not in {None, current_id}:
            raise SupersededError(
                "another process has built something else before this build was reported",
                where=str(settings.warehouse.database),
                hint="run this again when the other process has ended",
            )
        _refuse_partial(completeness, reason, allow_partial, progress)
        written = write(
            connection,
            directory or settings.reports.directory,
            formats,
            lambda name: progress.advance(name, 0, None),
            key=key,
            rows_per_table=settings.reports.rows_per_table,
            annex=annex,
        )
        found = connection.execute(
            "select severity, count(*) from findings.register where status = 'open' group by severity"
        ).fetchall()
        silent = connection.execute(
            "select rule_id, outcome, reason from reports.unevaluated_rules order by rule_id"
        ).fetchall()
        rule_count = connection.execute("select count(*) from findings.rule_summary").fetchall()[0][0]
    try:
        with database.writing(settings.warehouse.database, notify=progress.note) as connection:
            chain.record(
                connection,
                snapshot_id=snapshot_id,
                build_id=current_id,
                data_sha256=written.seal.data_sha256,
                manifest_sha256=written.seal.manifest_sha256,
                previous_manifest_sha256=written.seal.previous_manifest_sha256,
                written_at=_now(),
            )
    except WarehouseError as error:  # the folder is whole; a database that nobody may write still gives reports
        progress.note(f"the next snapshot's report will not be chained to this one: {error.message}")
    for warning in written.warnings:
        progress.note(warning)
    unevaluated = tuple(UnevaluatedRule(*row) for row in silent)
    said = coverage([asdict(rule) for rule in unevaluated], rule_count)
    return Report(written.folder, written.files, dict(found), unevaluated, " ".join(said))


def run(
    settings: Settings,
    environment: Mapping[str, str],
    progress: Progress,
    *,
    formats: frozenset[str],
    as_of: datetime | None = None,
    directory: Path | None = None,
    allow_partial: bool = False,
) -> Result:
    """Extract, build and report: the main job.

    Raises:
        AccessReviewError: as each stage does. A snapshot that is PARTIAL is kept, and ends the run unless allowed.
    """
    from pipeline.evidence.signature import signing_key

    # A mistake in a file is told before anything is contacted.
    signing_key(environment)
    rules(settings, models())
    check_policy(settings)
    check_roster(settings)
    timer = StageTimer(progress)
    extracted = extract(settings, (), environment, timer)
    for failure in extracted.failures:
        if not allow_partial:
            raise failure
        progress.note(str(failure))
    snapshot_id = extracted.snapshot.snapshot_id
    for attempt in range(1, _MOST_BUILDS + 1):
        built = build(settings, timer, snapshot_id=snapshot_id, as_of=as_of, allow_partial=allow_partial)
        timer.end(sum(built.rows.values()))
        try:
            written = report(
                settings,
                environment,
                timer,
                formats=formats,
                directory=directory,
                allow_partial=allow_partial,
                build_id=built.build_id,
            )
        except SupersededError:
            if attempt == _MOST_BUILDS:
                raise
            continue
        break
    timer.end(sum(rows for table, rows in built.rows.items() if table.startswith("reports.")))
    return Result(
        extracted.snapshot,
        built,
        written.folder,
        written.files,
        written.open_findings,
        written.unevaluated_rules,
        written.coverage,
        tuple(timer.stages),
    )


def no_source(settings: Settings) -> ConfigurationError:
    """Return the error of a configuration without a source."""
    return ConfigurationError(
        "there is no source", where=str(settings.path), hint="add a table [sources.prod] with kind and url"
    )


def _chosen(settings: Settings, names: Sequence[str]) -> list[SourceSettings]:
    if names:
        return [settings.source(name) for name in names]
    if not settings.sources:
        raise no_source(settings)
    return list(settings.sources)


def policy_files(settings: Settings) -> PolicyFiles:
    """Return where the policy of this configuration comes from."""
    return PolicyFiles(
        defaults=resources.reference_data(),
        folder=settings.policy.directory if settings.policy else None,
        email_domains=settings.organization.email_domains,
    )


def incomplete(snapshot: Snapshot) -> IncompleteError:
    """Return the error of a snapshot that is not proven complete."""
    return _incomplete(snapshot.completeness, snapshot.reason)


def _incomplete(completeness: str, reason: str | None) -> IncompleteError:
    return IncompleteError(
        f"the extract is {completeness}: {reason}",
        where="completeness checks",
        hint="'access-review snapshots show' lists every check; --allow-partial reports it as NOT COMPLETE",
    )


def _refuse_partial(completeness: str, reason: str | None, allow_partial: bool, progress: Progress) -> None:
    if completeness == "FULL":
        return
    if not allow_partial:
        raise _incomplete(completeness, reason)
    progress.note(f"NOT COMPLETE: {reason}")


@contextmanager
def _spool(settings: Settings, snapshot_id: str) -> Iterator[Spool]:
    """Yield a new spool beside the database. It is gone at the end: what counts is in the database then."""
    parent = settings.warehouse.database.with_name(settings.warehouse.database.name + ".spool")
    with ExitStack() as stack:
        try:
            spool = stack.enter_context(held(parent, snapshot_id))
        except OSError as error:
            raise WarehouseError(
                f"the spool cannot be made: {error.strerror}",
                where=str(parent),
                hint="check the path and its permissions",
            ) from error
        yield spool


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
