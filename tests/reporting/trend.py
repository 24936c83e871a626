"""The trend of the built organisation: this report, and earlier ones three months apart."""

from datetime import datetime, timedelta

import duckdb

_FIGURES = {
    "privileged_accounts": (9, 9, 8, 8, 7, 5, 4), "stale_accounts": (40, 38, 39, 31, 22, 20, 18),
    "approved_percent": (None, None, 98.5, 97.0, 91.2, 90.0, 88.4),
    "removed_percent": (None, None, 1.5, 3.0, 8.8, 10.0, 11.6),
    "median_days_to_fix": (None, 44.0, 40.5, 38.0, 21.0, 14.0, 9.5),
}  # fmt: skip


def fill(connection: duckdb.DuckDBPyConnection, as_of: datetime, *, earlier: int) -> None:
    """Count the open findings of this report, and add ``earlier`` reports with more of them, at most seven."""
    connection.execute(
        """
        insert into reports.trend
        select snapshot_id, as_of, severity, case when $earlier > 0 then open // 5 end,
               case when $earlier > 0 then 1 + open // 7 end, open, case when $earlier > 0 then open // 10 end,
               finished_at, case when $earlier > 0 then 0 end, case when $earlier > 0 then 0 end
        from (
            select snapshot.snapshot_id, snapshot.as_of, snapshot.finished_at, severities.severity,
                   count(found.finding_id) as open
            from reports.snapshot as snapshot
            cross join reference.severities as severities
            left join reports.findings as found on found.severity = severities.severity and found.status = 'open'
            group by all
        )
        """,
        {"earlier": earlier},
    )
    [(snapshot_id,)] = connection.execute("select snapshot_id from reports.snapshot").fetchall()
    times = [as_of - timedelta(days=91 * (earlier - number)) for number in range(earlier)]
    for number, time in enumerate(times):
        connection.execute(
            "insert into reports.trend select strftime($time, '%Y%m%dT%H%M%SZ-1a2b'), $time, severity,"
            " case when $number > 0 then 2 + open // 4 end, case when $number > 0 then 1 + open // 3 end,"
            " open + 3 * ($earlier - $number), case when $number > 0 then open // 12 end, $time,"
            " case when $number > 0 then 0 end, case when $number > 0 then 0 end"
            " from reports.trend where as_of = $as_of",
            {"time": time, "as_of": as_of, "number": number, "earlier": earlier},
        )
    for figure, values in _FIGURES.items():
        shown = values[len(values) - 1 - earlier :] if earlier < len(values) else (None, *values)
        for time, value in zip([*times, as_of], shown, strict=True):
            name = snapshot_id if time == as_of else f"{time:%Y%m%dT%H%M%SZ}-1a2b"
            connection.execute("insert into reports.trend_figures values (?, ?, ?, ?)", [name, time, figure, value])
