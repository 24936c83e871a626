"""What the templates are given: the dataset arranged in the order, and said in the words, of a report for people.

No number is computed here that SQL has not counted, except sums that are printed to show that they add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars
from markupsafe import Markup

from pipeline.reporting import charts
from pipeline.reporting.charts import SEVERITIES, Bar
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.manifest import SHELL_CHECK
from pipeline.reporting.text import count, number

__all__ = ["Identity", "RuleSection", "SeverityCount", "Tile", "View", "arrange"]

Row = dict[str, Any]
Chart = tuple[str, Markup]
#: Section -> key, label and value of its numbers, in their order.
Sections = dict[str, list[tuple[str, str, int]]]

_ACT_FIRST = 5
_ROLES_DRAWN = 9
#: Buckets of the last-seen chart that ask for a look; the others are drawn in the accent colour.
_LATE = {"d180": "#a67c00", "older": "#c2530a", "never": "#8f1d2c", "unknown": "#8a94a6"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the four numbers at the top of the summary."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A sum that must hold: ``total = part + part``, each a number and what it counts."""

    total: tuple[int, str]
    parts: tuple[tuple[int, str], ...]

    @property
    def holds(self) -> bool:
        """Say whether the parts add up to the total."""
        return self.total[0] == sum(value for value, _ in self.parts)


@dataclass(frozen=True, slots=True)
class SeverityCount:
    """How many findings of one rule have one severity, and how many of those are open."""

    severity: str
    findings: int
    open_findings: int


@dataclass(frozen=True, slots=True)
class RuleSection:
    """One rule that found something, with the findings that are shown."""

    rule: Row
    severities: tuple[SeverityCount, ...]
    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        """Count the findings, shown or not."""
        return sum(each.findings for each in self.severities)

    @property
    def worst(self) -> SeverityCount | None:
        """Return the gravest severity that has an open finding."""
        return next((each for each in self.severities if each.open_findings), None)

    @property
    def is_about_accounts(self) -> bool:
        """Say whether any row has an account, and so a role and a last use to show."""
        return any(row["account_id"] for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a template may name."""

    snapshot: Row
    is_complete: bool
    sources: tuple[Row, ...]
    figures: dict[str, int]
    headline: tuple[str, ...]
    tiles: tuple[Tile, ...]
    charts: tuple[tuple[Chart, ...], ...]
    identities: tuple[Identity, ...]
    act_first: tuple[RuleSection, ...]
    urgent_rules: int
    privileged: tuple[Row, ...]
    sections: tuple[RuleSection, ...]
    rules: tuple[Row, ...]
    gate_checks: tuple[Row, ...]
    other_checks: tuple[Row, ...]
    not_extracted: tuple[str, ...]
    requests: tuple[Row, ...]
    data_sha256: str
    attached: tuple[str, ...]
    left_out: tuple[str, ...]
    shell_check: str


def arrange(
    dataset: Dataset,
    *,
    rows_shown: int,
    data_sha256: str,
    attached: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> View:
    """Arrange one build for reading, with at most ``rows_shown`` findings of each rule.

    ``data_sha256`` is that of the report folder; ``attached`` are the CSV files inside the document, ``left_out``
    those that are too large for it.
    """
    summary: Sections = {
        str(name[0]): [(str(row["key"]), str(row["label"]), int(row["value"])) for row in part.iter_rows(named=True)]
        for name, part in dataset.summary.drop_nulls("value").group_by("section", maintain_order=True)
    }
    figures = {key: value for key, _, value in summary.get("headline", [])}
    severities = {key: value for key, _, value in summary.get("severity", [])}
    sections = _sections(dataset, rows_shown)
    urgent = [each for each in sections if each.worst and each.worst.severity in ("critical", "high")]
    first = urgent or [each for each in sections if each.worst]
    checks = _rows(dataset.reconciliation)
    return View(
        snapshot=dataset.snapshot,
        is_complete=dataset.snapshot["completeness"] == "FULL",
        sources=_rows(dataset.sources),
        figures=figures,
        headline=_headline(figures, severities),
        tiles=_tiles(figures, severities),
        charts=_charts(summary),
        identities=_identities(figures, summary),
        act_first=tuple(first[:_ACT_FIRST]),
        urgent_rules=len(urgent),
        privileged=_rows(dataset.privileged_accounts),
        sections=tuple(sections),
        rules=_ordered(_rows(dataset.rule_summary)),
        gate_checks=tuple(row for row in checks if row["is_gate"]),
        other_checks=tuple(row for row in checks if not row["is_gate"]),
        not_extracted=tuple(row["source"] for row in checks if row["check_id"] == "source_extracted"),
        requests=_rows(dataset.requests),
        data_sha256=data_sha256,
        attached=tuple(attached),
        left_out=tuple(left_out),
        shell_check=SHELL_CHECK,
    )


def _rows(frame: polars.DataFrame) -> tuple[Row, ...]:
    return tuple(frame.iter_rows(named=True))


def _rank(severity: str) -> int:
    return list(SEVERITIES).index(severity)


def _ordered(rules: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rules, key=lambda rule: (not rule["enabled"], _rank(rule["severity"]), rule["title"])))


def _sections(dataset: Dataset, rows_shown: int) -> list[RuleSection]:
    """Return the rules that found something, gravest first, then by how many findings have that severity."""
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
    sections = [
        RuleSection(rule, counts[rule["rule_id"]], rows[rule["rule_id"]])
        for rule in _rows(dataset.rule_summary)
        if rule["rule_id"] in counts
    ]

    def urgency(section: RuleSection) -> tuple[int, int, str]:
        worst = section.worst
        if worst is None:
            return len(SEVERITIES), 0, section.rule["title"]
        return _rank(worst.severity), -worst.open_findings, section.rule["title"]

    return sorted(sections, key=urgency)


def _headline(figures: dict[str, int], severities: dict[str, int]) -> tuple[str, ...]:
    in_scope = figures["in_scope"]
    clean = figures["in_scope_without_findings"]
    leavers = figures.get("leavers_active", 0)
    critical, high = severities.get("critical", 0), severities.get("high", 0)
    if not in_scope:
        return ("No account is in scope, so nothing was judged.",)
    if not figures["findings"]:
        return (f"No rule found anything: {count(in_scope, 'account')} in scope, no open finding.",)
    said = [
        f"Of {count(in_scope, 'account')} in scope, {number(clean)} {'has' if clean == 1 else 'have'} no finding."
    ]
    if leavers == 1:
        said.append("One account of a person who has left is still active: act on it first.")
    elif leavers:
        said.append(f"{count(leavers, 'account')} of people who have left are still active: act on these first.")
    elif critical:
        said.append(f"{count(critical, 'finding')} {'is' if critical == 1 else 'are'} critical: act on these first.")
    elif high:
        said.append(f"None is critical, {number(high)} {'is' if high == 1 else 'are'} high: begin there.")
    else:
        said.append("None is critical or high.")
    return tuple(said)


def _tiles(figures: dict[str, int], severities: dict[str, int]) -> tuple[Tile, ...]:
    urgent = severities.get("critical", 0) + severities.get("high", 0)
    if "leavers_active" in figures:
        last = Tile(number(figures["leavers_active"]), "leavers still active")
    else:
        last = Tile(number(urgent), "findings critical or high")
    return (
        Tile(number(figures["accounts"]), f"accounts, {number(figures['active'])} active"),
        Tile(number(figures["privileged"]), "privileged accounts"),
        Tile(
            number(figures["findings"]),
            f"open findings on {count(figures['accounts_with_findings'], 'account')}",
        ),
        last,
    )


def _charts(summary: Sections) -> tuple[tuple[Chart, ...], ...]:
    """Draw the two columns of charts."""
    by_severity = [
        Bar(label, value, SEVERITIES[key].colour, SEVERITIES[key].shape)
        for key, label, value in summary.get("severity", [])
    ]
    last_seen = [
        Bar(label, value, _LATE.get(key, charts.ACCENT)) for key, label, value in summary.get("last_seen", [])
    ]
    roles = [Bar(label, value) for _, label, value in summary.get("role", [])]
    if len(roles) > _ROLES_DRAWN:
        kept = sorted(roles, key=lambda role: -role.value)[: _ROLES_DRAWN - 1]
        rest = [role for role in roles if role not in kept]
        roles = [role for role in roles if role in kept]
        roles.append(Bar(f"{len(rest)} other roles", sum(role.value for role in rest)))
    statuses = [Bar(label, value) for _, label, value in summary.get("status", [])]
    columns = (
        (("Findings by severity", by_severity), ("Last seen", last_seen)),
        (("Accounts by role", roles), ("Accounts by status", statuses)),
    )
    return tuple(tuple((title, charts.bars(title, rows)) for title, rows in column if rows) for column in columns)


def _identities(figures: dict[str, int], summary: Sections) -> tuple[Identity, ...]:
    accounts = (figures["accounts"], "accounts")
    in_scope = (figures["in_scope"], "in scope")
    by_status = (
        (figures["active"], "active"),
        (figures["inactive"], "inactive"),
        (figures["pending"], "pending"),
        (figures["status_unknown"], "of unknown status"),
    )
    return (
        Identity(accounts, (in_scope, (figures["excluded"], "excluded with approval"))),
        Identity(accounts, by_status),
        Identity(
            in_scope,
            (
                (figures["in_scope_with_findings"], "with findings"),
                (figures["in_scope_without_findings"], "without"),
            ),
        ),
        Identity(
            (figures["findings"], "open findings"),
            tuple((value, label) for _, label, value in summary.get("severity", [])),
        ),
    )
