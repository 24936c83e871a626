"""Remediation as its callers see it: plan, approve, apply, verify, undo and show the status of a plan.

:class:`RemediationService` works with a database and its sources; the functions need only a plan file. Nothing here
prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.clock import Clock, utc_now
from pipeline.errors import GateError, UsageError
from pipeline.evidence.sealing import Proofs
from pipeline.evidence.signature import signing_key
from pipeline.evidence.stamping import stamp_sealed
from pipeline.inputs import policy_files
from pipeline.progress import Progress, Silent
from pipeline.remediation import applying, document, journal, planning, record, tasks
from pipeline.remediation.applying import ApplyingJob, Operator
from pipeline.remediation.journal import Journal, JournalEntry
from pipeline.remediation.plan import Approval, Change, Plan, load, save
from pipeline.remediation.planning import Selection
from pipeline.remediation.tasks import OwnerTask
from pipeline.reporting import remediation
from pipeline.settings import Settings
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = [
    "Operator",
    "PlanStatus",
    "ReadyPlan",
    "RemediationService",
    "Selection",
    "Stages",
    "Verification",
    "WrittenPlan",
    "approve",
    "status",
    "undo",
]


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """A new plan. ``file`` and its ``documents`` (HTML, PDF) are missing if there is nothing to change.

    ``warnings`` say which document could not be written. ``tasks`` are for people, in applications that are read from
    files; ``task_files`` are their list and one mail for each owner.
    """

    plan: Plan
    file: Path | None
    documents: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    tasks: tuple[OwnerTask, ...] = ()
    task_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadyPlan:
    """A plan that passed every check and can be applied, with its file."""

    file: Path
    job: ApplyingJob

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.job.plan


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """A plan with the last journal entry of each change that was begun. ``plan_file`` has the journal beside it."""

    plan: Plan
    plan_file: Path
    entries: Mapping[str, JournalEntry]

    @property
    def journal_file(self) -> Path:
        """Return the path of the journal."""
        return journal.journal_path(self.plan_file)

    def state(self, change: Change) -> str:
        """Return ``applied``, ``skipped``, ``failed``, ``unclear``, or ``open`` if the change was not tried."""
        entry = self.entries.get(change.change_id)
        if entry is None:
            return "open"
        return "unclear" if entry.state == "sending" else entry.state


@dataclass(frozen=True, slots=True)
class Verification:
    """The number of changes by verdict, and the folders that were written. Without changes, no folder is written."""

    verdicts: Mapping[str, int]
    report_folder: Path | None = None
    files: tuple[Path, ...] = ()


class _Extracted(Protocol):
    @property
    def snapshot_id(self) -> str: ...


class _Reported(Protocol):
    @property
    def folder(self) -> Path: ...


class Stages(Protocol):
    """The stages that a verification runs, as :class:`pipeline.Project` offers them."""

    def extract(self) -> _Extracted:
        """Extract all sources into a new snapshot."""

    def build(self, snapshot_id: str) -> object:
        """Build a snapshot."""

    def report(self, *, formats: Iterable[str] | None) -> _Reported:
        """Write the report of the current build in these formats; None means the usual ones."""


class RemediationService:
    """The steps of a remediation, over the database and the sources of one configuration.

    ``environment`` holds the secrets. ``progress`` receives warnings and how far a step is; without it nothing is
    shown.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str] = os.environ,
        progress: Progress | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._progress: Progress = progress or Silent()
        self._clock = clock

    def plan(self, selection: Selection, out: Path) -> WrittenPlan:
        """Plan the selected changes from the current build and write the plan; nothing is sent.

        Raises:
            UsageError: nothing is selected, there is no such rule, campaign or account, or ``out`` cannot be written.
            WarehouseError: there is no build.
            GateError: the snapshot is not FULL or too old, or too many accounts would change.
        """
        if selection.stale_days is None and not selection.rules and selection.campaign is None:
            raise UsageError(
                "no accounts are selected",
                where="",
                hint="add --stale-days N, --rule RULE or --campaign NAME",
            )
        with database.reading(self._database, notify=self._progress.note) as connection:
            made = planning.make(connection, selection, self._clock())
            by_hand = tuple(planning.tasks(connection, selection))
        return replace(_write(made, out), tasks=by_hand, task_files=tasks.write(by_hand, out))

    def prepare(self, file: Path, operator: Operator) -> ReadyPlan:
        """Check that a plan may be applied, before anything is sent.

        Raises:
            UsageError: the plan cannot be read.
            GateError: it is not approved, not signed with the configured key, or too old.
            ConfigurationError: a source is unknown, or its secret or the signing key is missing.
        """
        plan = load(file)
        approval = applying.require_approval(plan, operator)
        applying.require_fresh(plan, self._clock())
        key = signing_key(self._environment)
        if key is not None and not approval.is_signed_with(key):
            raise GateError(
                "the approval is not signed with the configured key",
                where=str(file),
                hint="approve the plan again with ACCESS_REVIEW_SIGNING_KEY_FILE set",
            )
        sources = {}
        for name in sorted({change.source for change in plan.changes}):
            source = self._settings.source(name)
            sources[name] = (source, source.credentials(self._environment))
        return ReadyPlan(file, ApplyingJob(plan, operator, sources, policy_files(self._settings)))

    def apply(self, ready: ReadyPlan) -> PlanStatus:
        """Make the changes of a plan, one account at a time, and record them in the database.

        After an interruption the same call resumes from the journal: completed changes are not repeated.

        Raises:
            UsageError: another process applies the plan, or the journal is missing or cannot be written.
            SourceError: a source cannot be reached, or refuses the login. Earlier changes are recorded.
            ConfigurationError: the policy that ranks the roles is wrong.
        """
        plan, total = ready.plan, len(ready.plan.changes)

        def locate(file: Path) -> Path:
            with self._writing() as connection:
                return record.locate(connection, plan.plan_id, file)

        with journal.opened(ready.file, plan.plan_id, self._database, locate=locate) as opened:
            self._note_earlier_run(ready, opened)
            with self._writing() as connection:
                record.announce(connection, plan, journal.plan_path(opened.path))
            self._progress.stage("apply")
            try:
                applying.apply(
                    ready.job,
                    opened,
                    lambda done: self._progress.advance("accounts", done, total),
                    clock=self._clock,
                )
            except BaseException:
                self._progress.note(
                    f"stopped after {len(opened.entries)} of {counted(total, 'change')}, as {opened.path} records; "
                    "run the same command again to resume: completed changes are not repeated"
                )
                raise
            finally:
                if opened.entries:
                    with self._writing() as connection:
                        record.keep(connection, plan, opened.entries)
            return PlanStatus(plan, journal.plan_path(opened.path), dict(opened.entries))

    def verify(self, stages: Stages, *, formats: Iterable[str] | None = None) -> Verification:
        """Extract again, compare every change with the new snapshot, and seal the verdicts in a folder.

        Without applied changes nothing is extracted. ``formats`` are those of the report on which the verdicts rest;
        see :meth:`pipeline.Project.report`.

        Raises:
            UsageError: a format is unknown.
            AccessReviewError: as each stage does.
        """
        from pipeline.reporting.report import chosen_formats

        wanted = sorted(chosen_formats(formats))
        proofs = Proofs(signing_key(self._environment), self._settings.evidence.timestamp_url)
        # Before the extract, so that changes of interrupted runs are recorded as earlier than it.
        with self._writing() as connection:
            for warning in record.catch_up(connection):
                self._progress.note(warning)
            if not record.has_changes(connection):
                return Verification({})
        stages.build(stages.extract().snapshot_id)
        with self._writing() as connection:
            verdicts = record.verify(connection)
        report_folder = stages.report(formats=wanted).folder
        with database.reading(self._database, notify=self._progress.note) as connection:
            directory = self._settings.reports.directory
            files = remediation.write(connection, directory, rests_on=report_folder, proofs=proofs)
        stamp_sealed(files[0].parent, self._settings, self._environment, self._progress.note)
        return Verification(verdicts, report_folder, files)

    def _note_earlier_run(self, ready: ReadyPlan, opened: Journal) -> None:
        if opened.path != journal.journal_path(ready.file):
            self._progress.note(f"a copy of this plan has been applied before: its journal is {opened.path}")
        states = [entry.state for entry in opened.entries.values()]
        if ready.plan.changes and states.count("applied") == len(ready.plan.changes):
            self._progress.note("the plan has been applied already: nothing is left to send")

    def _writing(self) -> AbstractContextManager[Connection]:
        return database.writing(self._database, notify=self._progress.note)

    @property
    def _database(self) -> Path:
        return self._settings.warehouse.database


def approve(
    file: Path, by: str, email: str, *, environment: Mapping[str, str] = os.environ, clock: Clock = utc_now
) -> tuple[Plan, Approval]:
    """Add an approval to a plan file, signed if the environment names a signing key; return both.

    Raises:
        UsageError: the plan cannot be read or written.
        ConfigurationError: the signing key cannot be used.
    """
    plan = load(file)
    key = signing_key(environment)
    approval = Approval(by, email, clock().isoformat(timespec="seconds"), plan.plan_id)
    if key is not None:
        approval = approval.signed(key)
    approved = replace(plan, approvals=(*plan.approvals, approval))
    save(approved, file)
    return approved, approval


def undo(
    file: Path, out: Path, *, database_path: Path | None, notify: Callable[[str], None], clock: Clock = utc_now
) -> WrittenPlan:
    """Write a plan that reverses the changes that were made of a plan.

    Raises:
        UsageError: the plan or its journal cannot be read, or ``out`` cannot be written.
    """
    done = status(file, database_path=database_path, notify=notify)
    return _write(planning.reverse(done.plan, done.entries, clock()), out)


def status(file: Path, *, database_path: Path | None, notify: Callable[[str], None]) -> PlanStatus:
    """Return the state of each change of a plan.

    The journal is beside ``file``, or else beside the copy that ``database_path`` knows, if there is a database.

    Raises:
        UsageError: the plan or its journal cannot be read.
    """
    plan = load(file)
    if not journal.journal_path(file).exists() and database_path is not None and database_path.exists():
        with database.reading(database_path, notify=notify) as connection:
            file = record.locate(connection, plan.plan_id, file)
    return PlanStatus(plan, file, journal.read(file, plan.plan_id))


def _write(plan: Plan, out: Path) -> WrittenPlan:
    if not plan.changes:
        return WrittenPlan(plan, None)
    if journal.journal_path(out).exists():
        raise UsageError(
            "a plan of that name was applied, and its journal is the record of it",
            where=str(out),
            hint="name another file with --out",
        )
    save(plan, out)
    documents, warnings = document.write(plan, out)
    return WrittenPlan(plan, out, documents, warnings)
