"""The ``reports`` schema of one build as Polars frames, for the reports that people read.

SQL has already evaluated and counted everything; this reads it in the order of the pages. The population and the
register are not included: they go from the database straight to their CSV files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars

from pipeline.reporting import objects
from pipeline.reporting.frames import to_frame
from pipeline.reporting.objects import ObjectTables
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import statement

__all__ = ["ROWS_HELD", "Dataset", "has_several_sources", "load"]

#: Most findings of one rule, and most changes; the CSV files have all of them.
ROWS_HELD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One build. The frames have the columns of the ``reports`` tables of the same name.

    ``finding_rows`` holds at most :data:`ROWS_HELD` rows a rule, ``person_findings`` as many of each severity, and
    ``changes`` as many of ``total``, those that touch privilege first; the tables of counts count all of them.
    ``build`` has the hashes of what it rests on. ``dictionary`` describes every column of ``reports``:
    ``table_name, column_name, data_type, description``.
    """

    snapshot: dict[str, Any]
    build: dict[str, Any]
    sources: polars.DataFrame
    summary: polars.DataFrame
    privileged_accounts: polars.DataFrame
    person_access: polars.DataFrame
    rule_summary: polars.DataFrame
    finding_rows: polars.DataFrame
    finding_counts: polars.DataFrame
    reconciliation: polars.DataFrame
    requests: polars.DataFrame
    criteria: polars.DataFrame
    exclusions: polars.DataFrame
    exceptions: polars.DataFrame
    review_quality: polars.DataFrame
    remediation: polars.DataFrame
    decision_sums: polars.DataFrame
    statistics: polars.DataFrame
    rule_results: polars.DataFrame
    unevaluated_rules: polars.DataFrame
    change_counts: polars.DataFrame
    changes: polars.DataFrame
    controls: polars.DataFrame
    dictionary: polars.DataFrame
    actions: polars.DataFrame
    person_findings: polars.DataFrame
    severity_rules: polars.DataFrame
    due_counts: polars.DataFrame
    trend: polars.DataFrame
    trend_figures: polars.DataFrame
    objects: ObjectTables
    has_several_sources: bool


def load(connection: Connection) -> Dataset:
    """Read the build that the database holds."""

    def frame(query: str, **values: object) -> polars.DataFrame:
        return to_frame(connection.sql(query, params=values or None))

    return Dataset(
        snapshot=frame("select * from reports.snapshot").row(0, named=True),
        build=frame(statement("reporting", "build")).row(0, named=True),
        sources=frame("select * from reports.sources order by source"),
        summary=frame("select * from reports.summary order by section, position, key"),
        privileged_accounts=frame(statement("reporting", "privileged_accounts")),
        person_access=frame(statement("reporting", "person_access"), rows=ROWS_HELD),
        rule_summary=frame("select * from reports.rule_summary order by rule_id"),
        finding_rows=frame(statement("reporting", "finding_rows"), rows=ROWS_HELD),
        finding_counts=frame("select * from reports.finding_counts order by rule_id, severity_rank"),
        reconciliation=frame("select * from reports.reconciliation order by source, not is_gate, check_id"),
        requests=frame(statement("reporting", "request_groups")),
        criteria=frame("select * from reports.criteria order by position"),
        exclusions=frame("select * from reports.exclusions order by line"),
        exceptions=frame("select * from reports.exceptions order by expires_on, line"),
        review_quality=frame("select * from reports.review_quality order by opened_at desc, campaign"),
        remediation=frame(statement("reporting", "remediation")),
        decision_sums=frame("select * from reports.decision_sums order by signed_at desc, campaign, position, label"),
        statistics=frame("select * from reports.statistics order by property, position"),
        rule_results=frame("select * from reports.rule_results order by rule_id"),
        unevaluated_rules=frame("select * from reports.unevaluated_rules order by outcome, title, rule_id"),
        change_counts=frame("select * from reports.change_counts order by position, object_kind, change"),
        changes=frame(statement("reporting", "changes"), rows=ROWS_HELD),
        controls=frame("select * from reports.controls order by framework, control"),
        dictionary=frame(statement("reporting", "dictionary")),
        actions=frame(statement("reporting", "actions")),
        person_findings=frame(statement("reporting", "person_findings"), rows=ROWS_HELD),
        severity_rules=frame(statement("reporting", "severity_rules")),
        due_counts=frame(statement("reporting", "due_counts")),
        trend=frame("select * from reports.trend order by snapshot_id, severity"),
        trend_figures=frame("select * from reports.trend_figures order by snapshot_id, figure"),
        objects=objects.load(connection),
        has_several_sources=has_several_sources(connection),
    )


def has_several_sources(connection: Connection) -> bool:
    """Return whether accounts come from more than one source."""
    counted = connection.execute("select count(*) from reports.sources where account_count > 0").fetchall()
    return int(counted[0][0]) > 1
