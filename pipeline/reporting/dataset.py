"""What the reports for people are made from: the ``reports`` schema of one build, as Polars frames.

SQL has already decided and counted everything; this only reads it, in the order in which it is shown. The population
and the register are not here: they go from the database straight into their CSV files.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import polars

from pipeline.warehouse.database import Connection

__all__ = ["ROWS_HELD", "Dataset", "load"]

#: Findings of one rule that are at hand for the reports for people; findings.csv has them all.
ROWS_HELD = 1000

_FINDINGS = """
    select *
    from reports.finding_rows
    qualify row_number() over (partition by rule_id order by severity_rank, lower(label), finding_id) <= {rows}
    order by rule_id, severity_rank, lower(label), finding_id
"""
_FINDING_COUNTS = """
    select
        rule_id,
        severity,
        severity_rank,
        count(*) as findings,
        count(*) filter (where status = 'open') as open_findings
    from reports.finding_rows
    group by rule_id, severity, severity_rank
    order by rule_id, severity_rank
"""
_PRIVILEGED = """
    select * from reports.privileged_accounts
    order by role_rank desc nulls last, role_display_name, lower(label), source, account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One build. The frames have the columns of the ``reports`` tables of the same name.

    ``finding_rows`` holds at most :data:`ROWS_HELD` rows a rule; ``finding_counts`` counts all of them by rule and
    severity: ``rule_id, severity, severity_rank, findings, open_findings``.
    """

    snapshot: dict[str, Any]
    sources: polars.DataFrame
    summary: polars.DataFrame
    privileged_accounts: polars.DataFrame
    rule_summary: polars.DataFrame
    finding_rows: polars.DataFrame
    finding_counts: polars.DataFrame
    reconciliation: polars.DataFrame
    requests: polars.DataFrame


def load(connection: Connection) -> Dataset:
    """Read the build that the database holds."""

    def frame(query: str) -> polars.DataFrame:
        # Polars remembers the type of what it is given for good; a relation's type would outlive DuckDB's module,
        # which then complains on stderr at exit. Only the Arrow stream is handed over.
        relation = connection.sql(query)
        return polars.DataFrame(SimpleNamespace(__arrow_c_stream__=relation.__arrow_c_stream__))

    return Dataset(
        snapshot=frame("select * from reports.snapshot").row(0, named=True),
        sources=frame("select * from reports.sources order by source"),
        summary=frame("select * from reports.summary order by section, position, key"),
        privileged_accounts=frame(_PRIVILEGED),
        rule_summary=frame("select * from reports.rule_summary order by rule_id"),
        finding_rows=frame(_FINDINGS.format(rows=ROWS_HELD)),
        finding_counts=frame(_FINDING_COUNTS),
        reconciliation=frame("select * from reports.reconciliation order by source, not is_gate, check_id"),
        requests=frame("select * from reports.requests order by source, sweep, resource, endpoint, parameters"),
    )
