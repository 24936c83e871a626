"""The database's record of plans and changes: journals are copied into it, and later extracts verify it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.clock import as_stored
from pipeline.errors import AccessReviewError, UsageError
from pipeline.remediation.journal import JournalEntry, journal_path, read
from pipeline.remediation.plan import Plan, change_id, load
from pipeline.remediation.planning import rows
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection, transaction

__all__ = ["announce", "catch_up", "has_changes", "keep", "locate", "verify"]


def locate(connection: Connection, plan_id: str, path: Path) -> Path:
    """Return the copy of a plan that has the journal: the one applied first, else the one at ``path``.

    Raises:
        UsageError: the plan was applied, and its journal is in neither place.
    """
    row = connection.execute("select path from review.plans where plan_id = $1", [plan_id]).fetchone()
    if row is None or Path(row[0]) == path.resolve():
        return path
    first = Path(row[0])
    if journal_path(first).exists():
        return first
    if journal_path(path).exists():  # both were moved
        return path
    raise UsageError(
        "this plan was applied, and its journal, which records what was sent, is missing",
        where=str(journal_path(first)),
        hint="restore the journal, or extract again and make a new plan",
    )


def announce(connection: Connection, plan: Plan, path: Path) -> None:
    """Record that an approved plan is about to be applied, and the copy of it that has the journal."""
    approval = plan.approval
    if approval is None:
        raise ValueError("only an approved plan is applied")
    rows(
        connection,
        "announce",
        plan_id=plan.plan_id,
        campaign=plan.basis.get("selection", {}).get("campaign"),
        path=str(path.resolve()),
        approver=approval.by,
        approver_email=approval.email,
        approved_at=_stored(approval.at),
    )


def catch_up(connection: Connection) -> list[str]:
    """Record the journals of interrupted runs; return a warning for each that cannot be read."""
    warnings = []
    for plan_id, path in connection.execute("select plan_id, path from review.plans order by plan_id").fetchall():
        try:
            plan = load(Path(path))
            if plan.plan_id != plan_id:
                warnings.append(f"{path} is no longer plan {plan_id[:12]}: its last changes may be missing here")
                continue
            entries = read(Path(path), plan_id)
        except AccessReviewError as error:
            warnings.append(f"the last changes of plan {plan_id[:12]} may be missing here: {error}")
            continue
        if entries:
            keep(connection, plan, entries)
    return warnings


def keep(connection: Connection, plan: Plan, journal: Mapping[str, JournalEntry]) -> None:
    """Record every entry of a journal, and the decisions that the plan left out with their reasons.

    All are recorded in one transaction, and newer entries replace older ones.
    """
    statement = saved.statement("remediation", "record")
    with transaction(connection):
        for values in (*_left_out(plan, journal), *_changes(plan, journal)):
            connection.execute(statement, values)


def has_changes(connection: Connection) -> bool:
    """Return whether any change was sent, or may have been, so that an extract can verify it."""
    [(found,)] = connection.execute("select count(*) > 0 from review.changes where state <> 'left_out'").fetchall()
    return bool(found)


def verify(connection: Connection) -> Counter[str]:
    """Compare every recorded change with the current build and record the verdicts; return how many of each."""
    verdicts = rows(connection, "verdicts")
    with transaction(connection):
        for row in verdicts:
            rows(connection, "verify", **row)
    return Counter(str(row["verified_state"]) for row in verdicts)


def _changes(plan: Plan, journal: Mapping[str, JournalEntry]) -> Iterator[dict[str, Any]]:
    """Yield the parameters of ``sql/remediation/record.sql`` for each change with an entry."""
    approval = plan.approval
    for change in plan.changes:
        entry = journal.get(change.change_id)
        if entry is None:
            continue
        yield {
            "change_id": change.change_id,
            "plan_id": plan.plan_id,
            "campaign": change.campaign,
            "item_id": change.item_id,
            "finding_id": change.finding_id,
            "source": change.source,
            "account_id": change.account_id,
            "user_name": change.user_name,
            "action": change.action,
            "entitlement_type": change.entitlement_type,
            "entitlement_id": change.entitlement_id,
            "reason": change.reason,
            "request": json.dumps(change.request),
            "previous": None if entry.previous is None else json.dumps(entry.previous),
            # Interrupted between its announcement and reading it back.
            "state": "unclear" if entry.state == "sending" else entry.state,
            "detail": entry.detail,
            "applied_at": _stored(entry.at),
            "applied_by": entry.by,
            "applied_by_email": entry.email,
            "approver": approval.by if approval else None,
            "approver_email": approval.email if approval else None,
            "is_single_operator": entry.is_single_operator,
        }


def _left_out(plan: Plan, journal: Mapping[str, JournalEntry]) -> Iterator[dict[str, Any]]:
    """Yield the same parameters for each decision that the plan left out, once its first change was announced."""
    approval = plan.approval
    begun = min((_stored(entry.at) for entry in journal.values()), default=None)
    if begun is None or approval is None:
        return
    for row in plan.left_out:
        if row.item_id is None:
            continue
        yield {
            "change_id": change_id(plan.plan_id, row.item_id),
            "plan_id": plan.plan_id,
            "campaign": row.campaign,
            "item_id": row.item_id,
            "finding_id": None,
            "source": row.source,
            "account_id": row.account_id,
            "user_name": row.user_name,
            "action": row.action or "deactivate",
            "entitlement_type": None,
            "entitlement_id": None,
            "reason": row.reason,
            "request": "{}",
            "previous": None,
            "state": "left_out",
            "detail": row.reason,
            "applied_at": begun,
            "applied_by": None,
            "applied_by_email": None,
            "approver": approval.by,
            "approver_email": approval.email,
            "is_single_operator": False,
        }


def _stored(at: str) -> datetime:
    """Return a time of a plan or journal, which has a zone, as the database stores it."""
    return as_stored(datetime.fromisoformat(at))
