"""The CSV files of a report: the query and the order of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.reporting import csv
from pipeline.reporting.dataset import has_several_sources
from pipeline.warehouse.database import Connection

__all__ = ["NAMES", "csv_files", "write_csv"]

#: File name -> query and order of its rows.
_FILES = {
    "population.csv": ("select * from reports.population", "source, account_id"),
    "access.csv": ("select * from reports.access", "source, account_id, entitlement_type, entitlement_id"),
    "findings.csv": ("select * from reports.findings", "source, rule_id, subject_type, subject_id, finding_id"),
    "changes.csv": ("select * from reports.changes", "source, object_kind, key, change, field"),
    "rules.csv": ("select * from reports.rule_summary", "rule_id"),
    "reach.csv": (
        "select * from reports.reach",
        "source, object_type, object_id, granted_to_type, granted_to_id, level",
    ),
    "licences.csv": ("select * from reports.licences", "source, account_id"),
    "trend.csv": (
        "select * from reports.trend",
        "snapshot_id, (select position from reference.severities as s where s.severity = trend.severity)",
    ),
    "reconciliation.csv": ("select * exclude (is_gate) from reports.reconciliation", "source, check_id"),
}
#: The same if accounts come from several sources: with the accounts of each person side by side.
_FILES_OF_SEVERAL = {
    **_FILES,
    "person_access.csv": ("select * from reports.person_access", "person_id, source, account_id"),
}
#: All names that such a file can have.
NAMES = tuple(_FILES_OF_SEVERAL)


def csv_files(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Return the query and the order of each file of the current build by its name."""
    return _FILES_OF_SEVERAL if has_several_sources(connection) else _FILES


def write_csv(connection: Connection, path_of: Callable[[str], Path]) -> int:
    """Write every CSV file of the current build to the path of its name; return how many cells were neutralised.

    Raises:
        RenderError: a file cannot be written.
    """
    return sum(
        csv.write(connection, query, path_of(name), order_by=order)
        for name, (query, order) in csv_files(connection).items()
    )
