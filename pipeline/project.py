"""One configuration and what can be done with it: extract, build, report, run, check and query.

The command line, ``watch`` and programs that import :mod:`pipeline` all work through :class:`Project`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__, inputs
from pipeline.clock import as_stored, utc_now
from pipeline.errors import LoginError, SupersededError, WarehouseError
from pipeline.extraction import extract
from pipeline.progress import Progress, Silent, StageTimer
from pipeline.results import (
    SEVERITIES,
    BuildResult,
    CheckItem,
    CheckResult,
    ExtractResult,
    ReportExtras,
    ReportResult,
    RunResult,
    UnevaluatedRule,
    incomplete,
)
from pipeline.settings import Settings
from pipeline.warehouse import chain, database, snapshots
from pipeline.warehouse.build import Inputs
from pipeline.warehouse.build import build as build_models
from pipeline.warehouse.current import CurrentBuild, current_build, findings_by_severity, unevaluated_rules
from pipeline.warehouse.people import Roster
from pipeline.warehouse.pseudonyms import pseudonym_key

if TYPE_CHECKING:
    import polars

    from pipeline.reporting.report import ReportOptions

__all__ = ["Project"]

#: How often a run builds its snapshot again because another process built something else in between.
_MOST_BUILDS = 3


class Project:
    """The stages and questions of one configuration.

    ``environment`` holds the secrets, as ``os.environ`` does. ``progress`` receives how far each stage is; by
    default nothing is shown. Every method may be called inside a running event loop, such as a notebook's.

    Every method raises an :class:`~pipeline.AccessReviewError` of the kinds it names, and nothing else on purpose.
    """

    def __init__(
        self, settings: Settings, environment: Mapping[str, str] = os.environ, progress: Progress | None = None
    ) -> None:
        self.settings = settings
        self.environment = environment
        self.progress: Progress = progress or Silent()

    def extract(
        self, *sources: str, shard: str | None = None, refused: MutableMapping[str, LoginError] | None = None
    ) -> ExtractResult:
        """Read sources into a new snapshot: those named, or all that are configured.

        A source that fails does not lose the pages of the others. ``shard`` is the part of the accounts to read, as
        ``2/5``; :meth:`merge` joins all. Sources in ``refused`` are left alone; those that refuse a login are added.

        Raises:
            UsageError: ``shard`` is not a shard, or a source cannot be read in shards.
            ConfigurationError: no source, an unknown one, or a missing secret; nothing was contacted.
            SourceError: no source gave a single page; there is no snapshot.
            WarehouseError: the pages could not be stored; there is no snapshot.
        """
        return extract(self.settings, self.environment, sources, StageTimer(self.progress), shard, refused)

    def merge(
        self, *snapshot_ids: str, databases: Iterable[Path] = (), within: timedelta = timedelta(hours=24)
    ) -> ExtractResult:
        """Merge snapshots into a new one: all shards of a source, different sources, or both.

        ``databases`` are other database files in which the snapshots may be. ``within`` is how much time may lie
        between the first start and the last end of the extracts. Raises as :func:`pipeline.merging.merge`.
        """
        from pipeline.merging import merge

        timer = StageTimer(self.progress)
        return merge(self.settings, snapshot_ids, timer, databases=tuple(databases), within=within)

    def build(
        self,
        snapshot_id: str | None = None,
        *,
        as_of: date | None = None,
        baseline: str | None = None,
        allow_partial: bool = False,
    ) -> BuildResult:
        """Build the graph, the findings and the report tables of a snapshot, by default the newest.

        ``as_of`` is when the rules are evaluated: a date (its start, UTC) or a time, which is UTC unless it has a
        zone; by default when the extract ended. ``baseline`` is the snapshot to compare with; by default the newest
        that was signed off, else the newest complete one.

        Raises:
            ConfigurationError: rules, policy or roster are wrong.
            IncompleteError: the snapshot is PARTIAL, and ``allow_partial`` is false.
            WarehouseError: no such snapshot or baseline, or a model fails; the previous build stays.
        """
        timer = StageTimer(self.progress)
        with inputs.roster(self.settings) as roster:
            return self._build(
                snapshot_id, timer, roster, as_of=as_of, baseline=baseline, allow_partial=allow_partial
            )

    def report(
        self,
        snapshot_id: str | None = None,
        *,
        formats: Iterable[str] | None = None,
        directory: Path | None = None,
        extras: ReportExtras = ReportExtras(),  # noqa: B008 - frozen
        allow_partial: bool = False,
        build_id: str | None = None,
    ) -> ReportResult:
        """Write the report of the current build, or of a snapshot, which is built first if it is not the current one.

        ``formats`` are any of csv, xlsx, html, pdf and graph; by default all but graph. CSV files are always
        written. ``directory`` replaces that of the configuration. ``extras`` are written only if they are asked for.
        ``build_id`` is the build that must be the current one. The report is signed if the environment names a key.

        Raises:
            UsageError: a format or an export is unknown.
            ConfigurationError: the signing key cannot be used.
            SupersededError: the current build is not ``build_id``.
            IncompleteError: the snapshot is PARTIAL, and ``allow_partial`` is false.
            WarehouseError: nothing has been built yet.
            RenderError: a file could not be written; an earlier report folder is untouched.
        """
        from pipeline.reporting.report import ReportOptions, chosen_formats

        wanted, options = chosen_formats(formats), ReportOptions.with_extras(extras)
        if extras.pseudonymise:
            options = replace(options, pseudonym_key=pseudonym_key(self.settings.warehouse.database))
        timer = StageTimer(self.progress)
        with database.reading(self.settings.warehouse.database, notify=timer.note) as connection:
            current = current_build(connection)
            known = snapshots.list_all(connection)
        if snapshot_id is not None and (current is None or current.snapshot_id != snapshot_id):
            with inputs.roster(self.settings) as roster:
                self._build(snapshot_id, timer, roster, allow_partial=allow_partial)
        elif snapshot_id is None and current is not None and current.snapshot_id != known[-1].snapshot_id:
            timer.note(
                f"this report is of snapshot {current.snapshot_id}; the newest, {known[-1].snapshot_id}, "
                "is not the current build"
            )
        written = self._report(
            timer, wanted, options, directory=directory, allow_partial=allow_partial, build_id=build_id
        )
        return replace(written, warnings=tuple(timer.notes))

    def run(
        self,
        *,
        as_of: date | None = None,
        formats: Iterable[str] | None = None,
        directory: Path | None = None,
        allow_partial: bool = False,
    ) -> RunResult:
        """Extract all sources, build the snapshot and write its report. The parameters are those of the stages.

        Mistakes in the configuration, the policy and the roster are found before anything is contacted.

        Raises:
            AccessReviewError: as each stage does. A PARTIAL snapshot is kept, and ends the run unless allowed.
        """
        from pipeline.evidence.signature import signing_key
        from pipeline.reporting.report import ReportOptions, chosen_formats, workers

        wanted = chosen_formats(formats)
        timer = StageTimer(self.progress)
        signing_key(self.environment)
        inputs.rules(self.settings)
        inputs.check_policy(self.settings)
        with inputs.roster(self.settings) as roster, workers(wanted) as pool:
            extracted = extract(self.settings, self.environment, (), timer)
            for failure in extracted.failures:
                if not allow_partial:
                    raise failure
                timer.note(str(failure))
            for attempt in range(1, _MOST_BUILDS + 1):
                built = self._build(extracted.snapshot_id, timer, roster, as_of=as_of, allow_partial=allow_partial)
                timer.end(sum(built.rows.values()))
                try:
                    written = self._report(
                        timer,
                        wanted,
                        ReportOptions(workers=pool),
                        directory=directory,
                        allow_partial=allow_partial,
                        build_id=built.build_id,
                    )
                    break
                except SupersededError:
                    if attempt == _MOST_BUILDS:
                        raise
        timer.end(sum(rows for table, rows in built.rows.items() if table.startswith("reports.")))
        return RunResult(
            extract=extracted,
            build=built,
            report=written,
            stages=tuple(timer.stages),
            warnings=tuple(timer.notes),
        )

    def checks(self) -> Iterator[CheckItem]:
        """Check the configuration, the policy, the roster and every source; yield each check when it is made.

        Nothing is changed. Everything is checked even if something fails.
        """
        from pipeline import preflight

        return preflight.items(self.settings, self.environment)

    def check(self) -> CheckResult:
        """Return all :meth:`checks`."""
        return CheckResult(tuple(self.checks()))

    def validate(self) -> None:
        """Find mistakes in the configuration, the policy, the roster and the environment; contact nothing.

        Raises:
            ConfigurationError: there is one.
        """
        from pipeline.sources.network import route_to

        inputs.rules(self.settings)
        inputs.check_policy(self.settings)
        inputs.check_roster(self.settings)
        for source in inputs.sources(self.settings):
            source.credentials(self.environment)
            source.scim_token(self.environment)
            if source.kind != "files":
                route_to(source, self.environment)

    def query(self, sql: str, **params: object) -> polars.DataFrame:
        """Run one select on the database and return its rows; ``params`` give the values of its ``$names``.

        The query can neither write nor open files nor use the network.

        Raises:
            QueryError: it is not one select, does not run, or a column has a type that a data frame cannot hold.
            WarehouseError: the database cannot be opened.
        """
        from pipeline.reporting.frames import to_frame
        from pipeline.warehouse import adhoc

        with database.sandbox(self.settings.warehouse.database, notify=self.progress.note) as connection:
            return to_frame(adhoc.stream(connection, sql, params))

    def _build(
        self,
        snapshot_id: str | None,
        timer: StageTimer,
        roster: Roster | None,
        *,
        as_of: date | None = None,
        baseline: str | None = None,
        allow_partial: bool = False,
    ) -> BuildResult:
        models, rules = inputs.models(), inputs.rules(self.settings)
        noted = len(timer.notes)
        timer.stage("build")
        if as_of and _moment(as_of) > as_stored(utc_now()):
            timer.note(f"the rules are evaluated as of {_moment(as_of):%Y-%m-%d %H:%M} UTC, which is in the future")
        with database.writing(self.settings.warehouse.database, notify=timer.note) as connection:
            snapshot = snapshots.get(connection, snapshot_id) if snapshot_id else snapshots.latest(connection)
            snapshot.require_rows()
            _require_complete(snapshot.completeness, snapshot.reason, timer, allow_partial=allow_partial)
            built = build_models(
                connection,
                models,
                Inputs(
                    organization=self.settings.organization.name,
                    policy_files=inputs.policy_files(self.settings),
                    roster=roster,
                    roster_source=self.settings.roster.source if self.settings.roster else None,
                    rules=rules,
                    snapshot=snapshot,
                    as_of=_moment(as_of) if as_of else snapshot.as_of,
                    baseline_snapshot_id=baseline,
                    tool_version=__version__,
                ),
                progress=timer.advance,
                executor=inputs.executor(self.settings, self.environment, connection),
            )
        for warning in built.warnings:
            timer.note(warning)
        return BuildResult(
            snapshot_id=built.snapshot_id,
            build_id=built.build_id,
            folder=self.settings.reports.directory / built.folder,
            rows=built.rows,
            warnings=tuple(timer.notes[noted:]),
        )

    def _report(
        self,
        timer: StageTimer,
        formats: frozenset[str],
        options: ReportOptions,
        *,
        directory: Path | None = None,
        allow_partial: bool = False,
        build_id: str | None = None,
    ) -> ReportResult:
        """Write the report of the current build, which must be ``build_id`` if that is given."""
        from pipeline.evidence import sealing, signature, stamping
        from pipeline.reporting.report import write, write_pseudonymised
        from pipeline.reporting.summary import coverage

        proofs = sealing.Proofs(signature.signing_key(self.environment), self.settings.evidence.timestamp_url)
        path = self.settings.warehouse.database
        noted = len(timer.notes)
        timer.stage("report")
        with database.reading(path, notify=timer.note, memory=database.RENDERING_MEMORY) as connection:
            current = _require_build(current_build(connection), build_id, path)
            _require_complete(current.completeness, current.reason, timer, allow_partial=allow_partial)
            written = (write_pseudonymised if options.pseudonym_key else write)(
                connection,
                directory or self.settings.reports.directory,
                formats,
                lambda name: timer.advance(name, 0, None),
                replace(options, proofs=proofs, rows_per_table=self.settings.reports.rows_per_table),
            )
            found = findings_by_severity(connection)
            unevaluated = tuple(UnevaluatedRule(*row) for row in unevaluated_rules(connection))
        if not options.pseudonym_key:
            self._chain(current, written.seal, timer)
        for warning in written.warnings:
            timer.note(warning)
        return ReportResult(
            snapshot_id=current.snapshot_id,
            build_id=current.build_id,
            folder=written.folder,
            files=written.files,
            time_stamped_at=stamping.stamp_sealed(written.folder, self.settings, self.environment, timer.note),
            open_findings={severity: found.get(severity, 0) for severity in SEVERITIES},
            unevaluated_rules=unevaluated,
            coverage=" ".join(coverage([asdict(rule) for rule in unevaluated], current.rule_count)),
            warnings=tuple(timer.notes[noted:]),
        )

    def _chain(self, current: CurrentBuild, seal: Any, timer: StageTimer) -> None:
        """Record the report, so that the report of the next snapshot is chained to it."""
        try:
            with database.writing(self.settings.warehouse.database, notify=timer.note) as connection:
                report = chain.SealedReport(
                    snapshot_id=current.snapshot_id,
                    build_id=current.build_id,
                    data_sha256=seal.data_sha256,
                    manifest_sha256=seal.manifest_sha256,
                    previous_manifest_sha256=seal.previous_manifest_sha256,
                    written_at=as_stored(utc_now()),
                )
                chain.record(connection, report)
        except WarehouseError as error:  # the report is complete; a read-only database does not prevent reports
            timer.note(f"the next snapshot's report will not be chained to this one: {error.message}")


def _moment(given: date) -> datetime:
    """Return a time in UTC without a zone; a date is its start."""
    if not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, tzinfo=UTC).replace(tzinfo=None)
    return as_stored(given) if given.tzinfo else given


def _require_complete(completeness: str, reason: str | None, timer: StageTimer, *, allow_partial: bool) -> None:
    if completeness == "FULL":
        return
    if not allow_partial:
        raise incomplete(completeness, reason)
    timer.note(f"NOT COMPLETE: {reason}")


def _require_build(current: CurrentBuild | None, build_id: str | None, path: Path) -> CurrentBuild:
    if current is None:
        raise WarehouseError("nothing has been built yet", where=str(path), hint="run 'access-review build'")
    if build_id not in {None, current.build_id}:
        raise SupersededError(
            "another process has built something else before this build was reported",
            where=str(path),
            hint="run this again when the other process has ended",
        )
    return current
