"""The build that the database holds at the moment."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.warehouse.database import Connection

__all__ = ["CurrentBuild", "current_build", "findings_by_severity", "unevaluated_rules"]


@dataclass(frozen=True, slots=True)
class CurrentBuild:
    """A build, how complete its snapshot is, and how many rules it knows."""

    build_id: str
    snapshot_id: str
    completeness: str
    reason: str | None
    rule_count: int


def current_build(connection: Connection) -> CurrentBuild | None:
    """Return the current build, or None if nothing has been built."""
    rows = connection.execute("select build_id, snapshot_id, completeness, reason from reference.snapshot").fetchall()
    if not rows:
        return None
    rules = connection.execute("select count(*) from findings.rule_summary").fetchall()
    build_id, snapshot_id, completeness, reason = rows[0]
    return CurrentBuild(build_id, snapshot_id, completeness, reason, rules[0][0])


def findings_by_severity(connection: Connection) -> dict[str, int]:
    """Return how many findings are open, by severity."""
    return dict(
        connection.execute(
            "select severity, count(*) from findings.register where status = 'open' group by severity"
        ).fetchall()
    )


def unevaluated_rules(connection: Connection) -> list[tuple[str, str, str]]:
    """Return the rules without a result: id, outcome (``off`` or ``not_evaluated``) and reason."""
    return connection.execute(
        "select rule_id, outcome, reason from reports.unevaluated_rules order by rule_id"
    ).fetchall()
