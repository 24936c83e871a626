"""The data of the templates: one build, arranged in the order and in the words of a report for people.

SQL has counted every number; only the sums that show that numbers add up are computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars

from pipeline.evidence.manifest import SHELL_CHECK
from pipeline.reporting import reach, summary, trend
from pipeline.reporting.brief import ACTIONS_SHOWN
from pipeline.reporting.charts import SEVERITIES
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.decisions import DecisionSum
from pipeline.reporting.reach import ReachView
from pipeline.reporting.summary import Identity, Sections, Tile
from pipeline.reporting.text import day, moment
from pipeline.reporting.trend import Trend

__all__ = ["Property", "RuleSection", "SeverityCount", "View", "arrange"]

Row = dict[str, Any]

#: Property of the statistics -> its heading, in the order of the page.
_PROPERTIES = {
    "source": "By source",
    "status": "By status",
    "role": "By role",
    "last_seen": "By last seen",
    "account_type": "By kind of account",
    "origin": "By origin",
    "department": "By department",
    "domain": "By e-mail domain",
}
#: CSV file -> the table of ``reports`` that it carries.
_DICTIONARY = {
    "population.csv": "population",
    "access.csv": "access",
    "findings.csv": "findings",
    "changes.csv": "changes",
    "reach.csv": "reach",
    "licences.csv": "licences",
    "trend.csv": "trend",
    "rules.csv": "rule_summary",
    "reconciliation.csv": "reconciliation",
    "person_access.csv": "person_access",
}
#: A column that a file leaves out.
_NOT_IN_FILES = {("reconciliation", "is_gate")}


@dataclass(frozen=True, slots=True)
class SeverityCount:
    """How many findings of one rule have one severity, and how many of those are open."""

    severity: str
    findings: int
    open_findings: int


@dataclass(frozen=True, slots=True)
class RuleSection:
    """A rule with findings, and the findings to show; ``result`` is its row of ``reports.rule_results``."""

    rule: Row
    result: Row
    severities: tuple[SeverityCount, ...]
    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        """Return the number of all findings, shown or not."""
        return int(self.result["findings"])

    @property
    def worst(self) -> SeverityCount | None:
        """Return the highest severity with an open finding, or None."""
        return next((each for each in self.severities if each.open_findings), None)

    @property
    def is_about_accounts(self) -> bool:
        """Return whether any row is about an account, and so has a role and a last use."""
        return any(row["account_id"] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Property:
    """One table of the statistics: the population divided by one property; its rows add up to the population."""

    key: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All values that a template can use."""

    snapshot: Row
    is_complete: bool
    sources: tuple[Row, ...]
    figures: dict[str, int]
    open_by_severity: dict[str, int]
    headline: tuple[str, ...]
    coverage: tuple[str, ...]
    not_evaluated: int
    tiles: tuple[Tile, ...]
    identities: tuple[Identity, ...]
    actions: tuple[Row, ...]
    privileged: tuple[Row, ...]
    people: tuple[Row, ...]
    people_total: int
    sections: tuple[RuleSection, ...]
    rules: tuple[Row, ...]
    results: dict[str, Row]
    gate_checks: tuple[Row, ...]
    other_checks: tuple[Row, ...]
    checks_said: str
    findings_said: str
    dates: str
    is_evaluated_apart: bool
    changed_subjects: int | None
    not_extracted: tuple[str, ...]
    requests: tuple[Row, ...]
    build: Row
    criteria: tuple[Row, ...]
    exclusions: tuple[Row, ...]
    exceptions: tuple[Row, ...]
    reviews: tuple[Row, ...]
    remediation: tuple[Row, ...]
    verdicts: dict[str, int]
    decision_sums: tuple[DecisionSum, ...]
    properties: tuple[Property, ...]
    change_counts: tuple[Row, ...]
    changes: tuple[Row, ...]
    change_total: int
    privileged_total: int
    controls: tuple[Row, ...]
    dictionary: dict[str, tuple[Row, ...]]
    reach: ReachView
    trend: Trend
    data_sha256: str
    attached: tuple[str, ...]
    left_out: tuple[str, ...]
    shell_check: str


def arrange(
    dataset: Dataset,
    *,
    rows_shown: int,
    privileged_shown: int | None = None,
    data_sha256: str,
    attached: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> View:
    """Arrange one build for reading.

    At most ``rows_shown`` findings of each rule and as many changes are shown, and at most ``privileged_shown``
    privileged accounts. ``data_sha256`` is that of the report folder. ``attached`` are the CSV files attached to the
    document, ``left_out`` those that are too large.
    """
    sections = _sections(dataset, rows_shown)
    checks = _rows(dataset.reconciliation)
    return View(
        **_first_page(dataset),
        **_long_tables(dataset, rows_shown, privileged_shown),
        snapshot=dataset.snapshot,
        is_complete=dataset.snapshot["completeness"] == "FULL",
        sources=_rows(dataset.sources),
        sections=tuple(sections),
        results={row["rule_id"]: row for row in dataset.rule_results.iter_rows(named=True)},
        rules=_ordered(_rows(dataset.rule_summary)),
        gate_checks=tuple(row for row in checks if row["is_gate"]),
        other_checks=tuple(row for row in checks if not row["is_gate"]),
        checks_said=summary.checks_said(
            [row for row in checks if row["is_gate"]], [row for row in checks if not row["is_gate"]]
        ),
        **_dates(dataset.snapshot),
        changed_subjects=_changed_subjects(dataset.changes),
        not_extracted=tuple(row["source"] for row in checks if row["check_id"] == "source_extracted"),
        requests=_rows(dataset.requests),
        build=dataset.build,
        criteria=_rows(dataset.criteria),
        exclusions=_rows(dataset.exclusions),
        exceptions=_rows(dataset.exceptions),
        reviews=_rows(dataset.review_quality),
        verdicts=dict(dataset.remediation.group_by("verdict").len().iter_rows()),
        # Of earlier reviews, only those with open decisions matter.
        decision_sums=tuple(
            each
            for each in DecisionSum.of_rows(_rows(dataset.decision_sums))
            if each.is_current or not each.is_closed
        ),
        properties=_properties(dataset),
        change_counts=_rows(dataset.change_counts),
        controls=_rows(dataset.controls),
        dictionary=_dictionary(dataset),
        reach=reach.arrange(dataset.objects),
        trend=trend.arrange(dataset.trend, dataset.trend_figures),
        data_sha256=data_sha256,
        attached=tuple(attached),
        left_out=tuple(left_out),
        shell_check=SHELL_CHECK,
    )


def _first_page(dataset: Dataset) -> dict[str, Any]:
    """Return the fields of the view that the first page shows."""
    numbers: Sections = {
        str(name[0]): [(str(row["key"]), str(row["label"]), int(row["value"])) for row in part.iter_rows(named=True)]
        for name, part in dataset.summary.drop_nulls("value").group_by("section", maintain_order=True)
    }
    figures = {key: value for key, _, value in numbers.get("headline", [])}
    severities = {key: value for key, _, value in numbers.get("severity", [])}
    unevaluated = _rows(dataset.unevaluated_rules)
    return {
        "figures": figures,
        "open_by_severity": severities,
        "headline": summary.headline(figures, severities),
        "not_evaluated": sum(row["outcome"] == "not_evaluated" for row in unevaluated),
        "coverage": summary.coverage(unevaluated, len(dataset.rule_summary)),
        "findings_said": summary.found_on(figures),
        "tiles": summary.tiles(figures, unevaluated),
        "identities": summary.identities(figures, numbers),
        "actions": _rows(dataset.actions.head(ACTIONS_SHOWN)),
    }


def _long_tables(dataset: Dataset, rows_shown: int, privileged_shown: int | None) -> dict[str, Any]:
    """Return the fields of tables that are cut, with the number of all their rows."""
    privileged = _rows(dataset.privileged_accounts)
    return {
        "privileged": privileged[:privileged_shown],
        "privileged_total": len(privileged),
        "people": _rows(dataset.person_access.head(rows_shown)),
        "people_total": _total(dataset.person_access),
        "remediation": _rows(dataset.remediation.head(rows_shown)),
        "changes": _rows(dataset.changes.head(rows_shown)),
        "change_total": _total(dataset.changes),
    }


def _dates(snapshot: Row) -> dict[str, Any]:
    """Return when the data was read and the moment it is evaluated as of, which is said apart if the days differ."""
    read, as_of = snapshot["finished_at"], snapshot["as_of"]
    apart = read.date() != as_of.date()
    return {
        "is_evaluated_apart": apart,
        "dates": f"read {day(read)}, evaluated as of {day(as_of)}" if apart else f"as of {moment(as_of)}",
    }


def _changed_subjects(changes: polars.DataFrame) -> int | None:
    """Return how many accounts, roles and groups have a change, or None if not every change is held."""
    if len(changes) < _total(changes):
        return None
    accounts = polars.when(polars.col("object_kind") == "membership").then(
        polars.col("key").str.split(":").list.first()
    )
    kind = polars.when(polars.col("object_kind") == "membership").then(polars.lit("account"))
    return changes.select("source", kind.otherwise("object_kind"), accounts.otherwise("key").alias("id")).n_unique()


def _total(frame: polars.DataFrame) -> int:
    """Return the number of all rows, which every row of a cut table carries."""
    return int(frame["total"][0]) if len(frame) else 0


def _rows(frame: polars.DataFrame) -> tuple[Row, ...]:
    return tuple(frame.iter_rows(named=True))


def _rank(severity: str) -> int:
    return list(SEVERITIES).index(severity)


def _ordered(rules: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rules, key=lambda rule: (not rule["enabled"], _rank(rule["severity"]), rule["title"])))


def _sections(dataset: Dataset, rows_shown: int) -> list[RuleSection]:
    """Return the rules with findings: the most severe first, then those with the most findings of that severity."""
    rows = {
        str(key[0]): _rows(part.head(rows_shown))
        for key, part in dataset.finding_rows.group_by("rule_id", maintain_order=True)
    }
    counts = {
        str(key[0]): tuple(
            SeverityCount(row["severity"], row["findings"], row["open_findings"])
            for row in part.iter_rows(named=True)
        )
        for key, part in dataset.finding_counts.group_by("rule_id", maintain_order=True)
    }
    results = {row["rule_id"]: row for row in dataset.rule_results.iter_rows(named=True)}
    sections = [
        RuleSection(rule, results[rule["rule_id"]], counts[rule["rule_id"]], rows[rule["rule_id"]])
        for rule in _rows(dataset.rule_summary)
        if rule["rule_id"] in counts
    ]

    def urgency(section: RuleSection) -> tuple[int, int, str]:
        worst = section.worst
        if worst is None:
            return len(SEVERITIES), 0, section.rule["title"]
        return _rank(worst.severity), -worst.open_findings, section.rule["title"]

    return sorted(sections, key=urgency)


def _properties(dataset: Dataset) -> tuple[Property, ...]:
    rows = {str(key[0]): _rows(part) for key, part in dataset.statistics.group_by("property", maintain_order=True)}
    return tuple(
        Property(key, title, rows[key])
        for key, title in _PROPERTIES.items()
        if key in rows and not (key == "source" and len(rows[key]) == 1)
    )


def _dictionary(dataset: Dataset) -> dict[str, tuple[Row, ...]]:
    columns = {str(key[0]): _rows(part) for key, part in dataset.dictionary.group_by("table_name")}
    return {
        file: tuple(row for row in columns.get(table, ()) if (table, row["column_name"]) not in _NOT_IN_FILES)
        for file, table in _DICTIONARY.items()
        if dataset.has_several_sources or file != "person_access.csv"
    }
