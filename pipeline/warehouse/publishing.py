"""Keeps what later builds compare with: replaces a snapshot's rows of ``history`` by those of its newest build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.warehouse.database import Connection
from pipeline.warehouse.made import Made

__all__ = ["PUBLISHED", "Publication", "publish"]

#: Tables of ``history`` and ``baseline``, and what they are filled from.
PUBLISHED = {
    "accounts": "graph.accounts",
    "roles": "graph.roles",
    "groups": "graph.groups",
    "memberships": "graph.memberships",
    "grants": "graph.grants",
    "register": "findings.register",
}
#: Tables of ``history`` alone, and what they are filled from.
_RECORDED = {
    "evaluations": "findings.evaluations",
    "unknown_subjects": "findings.unknown_subjects",
    "trend": "reports.current_trend",
    "trend_figures": "reports.current_figures",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published: a build of a snapshot, and what its tables were made from."""

    snapshot_id: str
    build_id: str
    identities: Mapping[str, str]


def publish(connection: Connection, what: Publication, made: Made) -> dict[tuple[str, str], str]:
    """Replace this snapshot's rows of ``history`` by this build's, unless what they say was signed off.

    Return what the rows were made from, by table and snapshot.
    """
    is_signed = connection.execute(
        "select count(*) > 0 from review.sign_offs where snapshot_id = $id", {"id": what.snapshot_id}
    ).fetchall()[0][0]
    published = {}
    sources = (
        {} if is_signed else {t: source for t, source in (PUBLISHED | _RECORDED).items() if source in what.identities}
    )
    for table, source in sources.items():
        identity = what.identities[source]
        published[f"history.{table}", what.snapshot_id] = identity
        if made.published(f"history.{table}", what.snapshot_id) == identity:
            _hand_over(connection, table, what)
        else:
            _replace(connection, table, source, what)
    connection.execute("delete from meta.rule_runs where build_id = $id", {"id": what.build_id})
    connection.execute(
        "insert into meta.rule_runs by name select $id as build_id, rule_id, enabled as is_enabled, parameters,"
        " population, failed, unknown, passed, sql_sha256 from findings.rule_summary",
        {"id": what.build_id},
    )
    return published


def _hand_over(connection: Connection, table: str, what: Publication) -> None:
    """Let rows that an earlier build published belong to this one."""
    connection.execute(
        f"update history.{table} set build_id = $build_id where snapshot_id = $snapshot_id and build_id <> $build_id",
        {"build_id": what.build_id, "snapshot_id": what.snapshot_id},
    )


def _replace(connection: Connection, table: str, source: str, what: Publication) -> None:
    connection.execute(f"delete from history.{table} where snapshot_id = $id", {"id": what.snapshot_id})
    columns = [
        row[0]
        for row in connection.execute(f"describe history.{table}").fetchall()
        if row[0] not in {"build_id", "snapshot_id"}
    ]
    connection.execute(
        f"insert into history.{table} by name "
        f"select $build_id as build_id, $snapshot_id as snapshot_id, {', '.join(columns)} from {source}",
        {"build_id": what.build_id, "snapshot_id": what.snapshot_id},
    )
