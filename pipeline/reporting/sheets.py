"""The sheets of the workbook, in the order in which people need them.

Each sheet is a query of ``sql/reporting``. It gives the columns that a person reads, under the headings of the sheet,
ids last; the column ``line`` numbers the rows from 1 on. The CSV files have every column.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.warehouse.saved import statement

__all__ = ["ReportSheet", "sheets"]


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """One sheet: its query, what it lists in a few words, and the file with every column of its rows.

    The first ``frozen`` columns stay in sight. The first ``printed`` ones are printed, and rows are as high as those
    need. Of a sheet that is long because people search it, only the rows that fit the condition ``prints`` are
    printed; they come first.
    """

    name: str
    query: str
    lists: str
    file: str
    frozen: int = 1
    printed: int | None = None
    prints: str = "true"


def sheets() -> tuple[ReportSheet, ...]:
    """Return the sheets of the workbook; those without rows are left out of it.

    Raises:
        ModelError: a query is not in its form.
    """
    return (
        ReportSheet("Findings", _query("findings"), "every finding, open ones first", "findings.csv", 3, 9),
        ReportSheet("Trend", _query("trend"), "this report and earlier ones, the newest first", "trend.csv", 1, 18),
        ReportSheet(
            "Privileged", _query("privileged"), "accounts with administrative rights", "population.csv", 1, 12
        ),
        ReportSheet(
            "Accounts",
            _query("accounts"),
            "every account, the most severe findings first",
            "population.csv",
            1,
            12,
            '"Open findings" > 0',
        ),
        ReportSheet(
            "Access",
            _query("access"),
            "who holds which role or group, those to remove or reduce first",
            "access.csv",
            1,
            8,
            """"Recommendation" in ('remove', 'reduce', 'investigate')""",
        ),
        ReportSheet("People", _query("people"), "accounts of one person side by side", "person_access.csv", 1, 11),
        ReportSheet(
            "Objects",
            _query("objects"),
            "who reaches dashboards, data models and folders",
            "reach.csv",
            1,
            11,
            '"Public" is not null or "Sensitivity" is not null',
        ),
        ReportSheet(
            "Licences",
            _query("licences"),
            "seats, those that can be freed first",
            "licences.csv",
            1,
            8,
            """"Can be freed" = 'yes'""",
        ),
        ReportSheet("Changes", _query("changes"), "what changed since the baseline", "changes.csv", 1, 7),
        ReportSheet("Rules", _query("rules"), "what was examined, and with which result", "rules.csv", 2, 10),
        ReportSheet("Checks", _query("checks"), "checks of the extract", "reconciliation.csv", 2, 8),
    )


def _query(name: str) -> str:
    return statement("reporting", f"sheet_{name}")
