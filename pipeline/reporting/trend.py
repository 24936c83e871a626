"""How the findings developed over the last reports: a sentence, a line chart, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars
from markupsafe import Markup

from pipeline.reporting import charts
from pipeline.reporting.charts import SEVERITIES, Line
from pipeline.reporting.text import count, day, number

__all__ = ["Trend", "TrendReport", "arrange"]

Row = dict[str, Any]

#: Figure -> how it is called, and how its values are written.
_FIGURES = {
    "privileged_accounts": ("Privileged accounts", "number"),
    "stale_accounts": ("Stale accounts", "number"),
    "approved_percent": ("Access approved in reviews", "percent"),
    "removed_percent": ("Access removed by reviews", "percent"),
    "median_days_to_fix": ("Median days to fix a finding", "days"),
}

_TOO_FEW = "A trend needs two reports. This is the first complete one; the next one shows what changed."


@dataclass(frozen=True, slots=True)
class TrendReport:
    """The findings of one report: sums over all severities, the open ones of each severity, and other figures.

    A sum is None if it is not known, as for what changed before the first report that was kept. ``evaluated_again``
    counts the open findings that the report before could not evaluate, ``not_evaluated`` those that it had and this
    one could not evaluate. ``read_at`` is when the extract ended.
    """

    as_of: datetime
    read_at: datetime
    new: int | None
    reopened: int | None
    resolved: int | None
    open: int | None
    evaluated_again: int | None
    not_evaluated: int | None
    severities: dict[str, int | None]
    figures: dict[str, str]


@dataclass(frozen=True, slots=True)
class Trend:
    """All values of the trend. Without an earlier report, ``sentence`` says so and there is no chart.

    ``notes`` say why the numbers of the sentence do not add up, if they do not. ``figures`` are the names of the
    figures that any report has.
    """

    sentence: str
    notes: tuple[str, ...]
    chart: Markup | None
    reports: tuple[TrendReport, ...]
    figures: tuple[str, ...]

    @property
    def has_gaps(self) -> bool:
        """Return whether any report has findings that it or the report before could not evaluate."""
        return any(each.evaluated_again or each.not_evaluated for each in self.reports)


def arrange(trend: polars.DataFrame, figures: polars.DataFrame) -> Trend:
    """Arrange ``reports.trend`` and ``reports.trend_figures`` for reading; the last report is this one.

    Reports are in the order of their extracts, which is that of their ids. Each is compared with the previous report,
    and any of them may have been evaluated as of an earlier or a later day.
    """
    reports = tuple(
        _report(
            tuple(part.iter_rows(named=True)),
            figures.filter(polars.col("snapshot_id") == snapshot_id).rows_by_key("figure", named=True, unique=True),
        )
        for (snapshot_id,), part in trend.sort("snapshot_id").group_by("snapshot_id", maintain_order=True)
    )
    known = [each for each in reports if each.open is not None]
    if len(known) < 2:
        return Trend(_TOO_FEW, (), None, reports, ())
    before, now = known[-2:]
    changed = [(now.new, "new"), (now.reopened or None, "reopened"), (now.resolved, "resolved"), (now.open, "open")]
    parts = [f"{name} {number(value)}" for value, name in changed if value is not None]
    lines = [
        Line(severity, look.shape, look.colour, tuple(each.severities.get(severity) or 0 for each in known))
        for severity, look in SEVERITIES.items()
        if any(each.severities.get(severity) for each in known)
    ]
    return Trend(
        f"Since {day(before.read_at)}: {' · '.join(parts)} ({number(before.open)} before)",
        tuple(_notes(before, now)),
        charts.lines("Open findings by severity", [day(each.read_at) for each in known], lines),
        reports,
        tuple(name for name, _ in _FIGURES.values() if any(name in each.figures for each in reports)),
    )


def _notes(before: TrendReport, now: TrendReport) -> Iterator[str]:
    """Yield why open before, new, reopened and resolved do not add up to what is open now, if they do not."""
    then = day(before.read_at)
    if again := now.evaluated_again:
        are, them = ("is", "it") if again == 1 else ("are", "them")
        found = count(again, "open finding")
        yield f"{found} {are} neither new nor reopened: the report of {then} could not evaluate {them}."
    if lost := now.not_evaluated:
        were, them = ("was", "it") if lost == 1 else ("were", "them")
        found = count(lost, "finding")
        yield f"{found} {were} open on {then}, and this report could not evaluate {them}."
    if now.resolved is None:
        yield "What was resolved is not known, because this extract is not complete."


def _report(rows: tuple[Row, ...], figures: dict[str, Row]) -> TrendReport:
    def total(column: str) -> int | None:
        values = [row[column] for row in rows if row[column] is not None]
        return sum(values) if values else None

    return TrendReport(
        as_of=rows[0]["as_of"],
        read_at=rows[0]["read_at"],
        new=total("new"),
        reopened=total("reopened"),
        resolved=total("resolved"),
        open=total("open"),
        evaluated_again=total("evaluated_again"),
        not_evaluated=total("not_evaluated"),
        severities={row["severity"]: row["open"] for row in rows},
        figures={
            name: _written(figures[key]["value"], form)
            for key, (name, form) in _FIGURES.items()
            if key in figures and figures[key]["value"] is not None
        },
    )


def _written(value: float, form: str) -> str:
    if form == "percent":
        return f"{value:.1f} %"
    if form == "days":
        return f"{value:.1f}".removesuffix(".0") if value else "less than 1"
    return number(round(value))
