"""The results of the methods of :class:`pipeline.Project`. All times are UTC without a zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.errors import AccessReviewError, ConfigurationError, IncompleteError, exit_code
from pipeline.progress import StageCost

__all__ = [
    "SEVERITIES",
    "BuildResult",
    "CheckItem",
    "CheckResult",
    "ExtractResult",
    "ReportExtras",
    "ReportResult",
    "RunResult",
    "UnevaluatedRule",
    "incomplete",
]

#: The severities of findings, the gravest first.
SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractResult:
    """A new snapshot.

    Attributes:
        snapshot_id: names the snapshot in every later call, as ``20261128T101500Z-4f2a``.
        completeness: ``FULL`` if the sources were proven to be read to the end, else ``PARTIAL``.
        reason: why the snapshot is PARTIAL; None if it is FULL.
        started_at, finished_at: when reading began and ended.
        failures: one error for each source that failed; their pages up to the failure are in the snapshot.
        warnings: what else the user should know, in the order in which it was noticed.
    """

    snapshot_id: str
    completeness: str
    reason: str | None
    started_at: datetime
    finished_at: datetime
    failures: tuple[AccessReviewError, ...]
    warnings: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the snapshot is FULL."""
        return self.completeness == "FULL"

    def errors(self) -> tuple[AccessReviewError, ...]:
        """Return why the snapshot is not complete: the failures, else the completeness check that failed."""
        if self.is_complete or self.failures:
            return self.failures
        return (incomplete(self.completeness, self.reason),)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The tables of one snapshot, as of one time, compared with one baseline.

    Attributes:
        snapshot_id: the snapshot that was built.
        build_id: a hash of everything that the build depends on.
        folder: where the report of this build is written, unless :meth:`pipeline.Project.report` is given another.
        rows: the number of rows of each table, as ``{"graph.accounts": 2000}``.
        warnings: what the user should know, such as failed checks of the data, in order.
    """

    snapshot_id: str
    build_id: str
    folder: Path
    rows: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def accounts(self) -> int:
        """The number of accounts."""
        return self.rows["graph.accounts"]

    @property
    def findings(self) -> int:
        """The number of findings, accepted ones too."""
        return self.rows["findings.register"]


@dataclass(frozen=True, slots=True)
class UnevaluatedRule:
    """A rule without a result: ``outcome`` is ``off`` or ``not_evaluated``, ``reason`` says why in words."""

    rule_id: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExtras:
    """What a report has only if it is asked for.

    Attributes:
        annex: a PDF that lists the whole population.
        exports: names of files for other programs, as ``("vanta", "oscal")``.
        pseudonymise: write another folder, to show outside, in which keyed pseudonyms stand for people.
    """

    annex: bool = False
    exports: tuple[str, ...] = ()
    pseudonymise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """A report folder, and what its build found.

    Attributes:
        snapshot_id, build_id: what the report shows.
        folder: the folder, sealed by its ``manifest.json``.
        files: the files for people, and the manifest.
        time_stamped_at: when the authority of the configuration stamped the manifest; None without a time stamp.
        open_findings: the number of open findings of each severity, the gravest first; severities without one too.
        unevaluated_rules: the rules that have no result, and why.
        coverage: the same in a sentence or two.
        warnings: what the user should know, in order.
    """

    snapshot_id: str
    build_id: str
    folder: Path
    files: tuple[Path, ...]
    time_stamped_at: datetime | None
    open_findings: Mapping[str, int]
    unevaluated_rules: tuple[UnevaluatedRule, ...]
    coverage: str
    warnings: tuple[str, ...]

    def open_at_or_above(self, severity: str) -> int:
        """Return how many findings of this severity or a graver one are open."""
        graver = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return sum(self.open_findings.get(name, 0) for name in graver)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """An extract, its build and its report.

    Attributes:
        extract, build, report: the results of the three stages.
        stages: what each stage cost, in the order in which they ran.
        warnings: the warnings of all stages, in order.
    """

    extract: ExtractResult
    build: BuildResult
    report: ReportResult
    stages: tuple[StageCost, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckItem:
    """The check of one thing.

    Attributes:
        name: what was checked, as ``policy`` or ``prod: login``.
        result: ``ok``, ``warning`` or ``failed``.
        detail: what was found.
        hint: what to do; empty if there is nothing to do.
        exit_code: the exit code of the command line for a failure of this item, else 0.
    """

    name: str
    result: Literal["ok", "warning", "failed"]
    detail: str
    hint: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Every check that was made, in order."""

    items: tuple[CheckItem, ...]

    @property
    def failed(self) -> tuple[CheckItem, ...]:
        """The items that failed."""
        return tuple(item for item in self.items if item.result == "failed")

    def error(self) -> AccessReviewError | None:
        """Return an error that names every item that failed, or None."""
        if not self.failed:
            return None
        error = ConfigurationError(
            f"{len(self.failed)} of {len(self.items)} checks failed",
            where=", ".join(item.name for item in self.failed),
            hint="follow the hint of each failed check, then check again",
        )
        error.exit_code = exit_code(item.exit_code for item in self.failed)
        return error


def incomplete(completeness: str, reason: str | None) -> IncompleteError:
    """Return the error of a snapshot that is not proven complete."""
    return IncompleteError(
        f"the extract is {completeness}: {reason}",
        where="",
        hint="'access-review snapshots show' lists every check; --allow-partial reports it as NOT COMPLETE",
    )
