"""When findings of the built organisation were first seen, who is to fix them, and by when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb

_DAYS = {"critical": 1, "high": 7, "medium": 30, "low": 90, "info": None}


def columns(
    number: int, severity: str, status: str, as_of: datetime, names: Sequence[str]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the last columns of ``reports.findings`` and of ``reports.finding_rows``, from ``person_id`` on."""
    first_seen, days = as_of - timedelta(days=number % 60), _DAYS[severity]
    due_at = (first_seen + timedelta(days=days)).date() if days is not None else None
    is_overdue = status == "open" and due_at is not None and due_at < as_of.date()
    known = (None, first_seen, number % 60, f"user{number % 5:05}@example.com")
    return (*known, due_at, is_overdue), (*known, names[number % 5 % len(names)], due_at, is_overdue)


def fill_trend(connection: duckdb.DuckDBPyConnection, earlier: int) -> None:
    """Fill the trend with earlier reports, a month apart, each with ten more open findings of a severity."""
    connection.execute(
        """
        insert into reports.trend
        select
            snapshot.snapshot_id, snapshot.as_of, severities.severity,
            case when $earlier > 0 then 2 end, case when $earlier > 0 then 13 end,
            count(found.finding_id), case when $earlier > 0 then 1 end
        from reports.snapshot as snapshot
        cross join reference.severities as severities
        left join reports.findings as found on found.severity = severities.severity and found.status = 'open'
        group by snapshot.snapshot_id, snapshot.as_of, severities.severity
        """,
        {"earlier": earlier},
    )
    connection.execute(
        """
        insert into reports.trend
        select 'earlier-' || ($earlier - number), as_of - to_days(cast(30 * number as integer)), severity,
            case when number < $earlier then 2 end, case when number < $earlier then 13 end, open + 10 * number,
            case when number < $earlier then 1 end
        from reports.trend cross join range(1, $earlier + 1) as before(number)
        """,
        {"earlier": earlier},
    )
    connection.execute(
        "insert into reports.trend_figures select distinct snapshot_id, as_of, 'stale_accounts', 7 from reports.trend"
    )
