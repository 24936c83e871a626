"""Brings the journal into ``review.changes``, and the verdicts of a later extract."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import AccessReviewError, UsageError
from pipeline.remediation.journal import JournalEntry, journal_path, read
from pipeline.remediation.plan import Plan, change_id, load
from pipeline.remediation.planning import rows
from pipeline.warehouse.database import Connection, transaction

__all__ = ["announce", "applied", "catch_up", "keep", "locate", "verify"]


def locate(connection: Connection, plan_id: str, path: Path) -> Path:
    """Return the copy of a plan that has the journal beside it: the one applied first, else the one at ``path``.

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
        "this plan has been applied, and its journal, which says what was sent, is missing",
        where=str(journal_path(first)),
        hint="put the journal back, or extract again and make a new plan",
    )


def announce(connection: Connection, plan: Plan, path: Path) -> None:
    """Write down that an approved plan is about to be applied, and beside which copy of it the journal is."""
    approval = plan.approval
    if approval is None:
        raise ValueError("only an approved plan is applied")
    connection.execute(
        """
        insert into review.plans by name
        select
            $plan_id as plan_id, $campaign as campaign, $path as path, $approver as approver,
            $approver_email as approver_email, $approved_at::timestamp as approved_at
        on conflict (plan_id) do update set
            path = excluded.path, approver = excluded.approver, approver_email = excluded.approver_email,
            approved_at = excluded.approved_at
        """,
        {
            "plan_id": plan.plan_id,
            "campaign": plan.basis.get("selection", {}).get("campaign"),
            "path": str(path.resolve()),
            "approver": approval.by,
            "approver_email": approval.email,
            "approved_at": datetime.fromisoformat(approval.at).astimezone(UTC).replace(tzinfo=None),
        },
    )


def catch_up(connection: Connection) -> list[str]:
    """Bring in every journal that a killed run left behind; return in words what could not be read."""
    missing = []
    for plan_id, path in connection.execute("select plan_id, path from review.plans order by plan_id").fetchall():
        try:
            plan = load(Path(path))
            if plan.plan_id != plan_id:
                missing.append(f"{path} is no longer plan {plan_id[:12]}: what it did is known as far as it was told")
                continue
            entries = read(Path(path), plan_id)
        except AccessReviewError as error:
            missing.append(f"what plan {plan_id[:12]} did is known as far as it was told: {error}")
            continue
        if entries:
            keep(connection, plan, entries)
    return missing


def keep(connection: Connection, plan: Plan, journal: Mapping[str, JournalEntry]) -> None:
    """Bring every entry of a journal into the database in one transaction; an entry that is there is renewed.

    The decisions that the plan left out are kept with their reasons, so that the next report accounts for them.
    """
    approval = plan.approval
    with transaction(connection):
        _keep_left_out(connection, plan, journal)
        for change in plan.changes:
            entry = journal.get(change.change_id)
            if entry is None:
                continue
            at = datetime.fromisoformat(entry.at).astimezone(UTC).replace(tzinfo=None)
            connection.execute(
                """
                insert into review.changes by name
                select
                    $change_id as change_id, $plan_id as plan_id, $campaign as campaign, $item_id as item_id,
                    $finding_id as finding_id, $source as source, $account_id as account_id,
                    $user_name as user_name, $action as action, $entitlement_type as entitlement_type,
                    $entitlement_id as entitlement_id, $reason as reason, $request::json as request,
                    $previous::json as previous, $state as state, $detail as detail, $at::timestamp as applied_at,
                    $by as applied_by, $email as applied_by_email, $approver as approver,
                    $approver_email as approver_email, $is_single_operator as is_single_operator
                on conflict (change_id) do update set
                    state = excluded.state, detail = excluded.detail, previous = excluded.previous,
                    applied_at = excluded.applied_at, applied_by = excluded.applied_by,
                    applied_by_email = excluded.applied_by_email,
                    is_single_operator = excluded.is_single_operator
                """,
                {
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
                    # killed between announcing it and reading it back
                    "state": "unclear" if entry.state == "sending" else entry.state,
                    "detail": entry.detail,
                    "at": at,
                    "by": entry.by,
                    "email": entry.email,
                    "approver": approval.by if approval else None,
                    "approver_email": approval.email if approval else None,
                    "is_single_operator": entry.is_single_operator,
                },
            )


def applied(connection: Connection) -> int:
    """Return how many changes were sent, or may have been: those that an extract can be held against."""
    [(count,)] = connection.execute("select count(*) from review.changes where state <> 'left_out'").fetchall()
    return int(count)


def _keep_left_out(connection: Connection, plan: Plan, journal: Mapping[str, JournalEntry]) -> None:
    approval = plan.approval
    begun = min((datetime.fromisoformat(entry.at).astimezone(UTC) for entry in journal.values()), default=None)
    if begun is None or approval is None:
        return
    for row in plan.left_out:
        if row.item_id is None:
            continue
        connection.execute(
            """
            insert into review.changes by name
            select
                $change_id as change_id, $plan_id as plan_id, $campaign as campaign, $item_id as item_id,
                $source as source, $account_id as account_id, $user_name as user_name, $action as action,
                $reason as reason, '{}'::json as request, 'left_out' as state, $reason as detail,
                $at::timestamp as applied_at, $approver as approver, $approver_email as approver_email,
                false as is_single_operator
            on conflict (change_id) do nothing
            """,
            {
                "change_id": change_id(plan.plan_id, row.item_id),
                "plan_id": plan.plan_id,
                "campaign": row.campaign,
                "item_id": row.item_id,
                "source": row.source,
                "account_id": row.account_id,
                "user_name": row.user_name,
                "action": row.action or "deactivate",
                "reason": row.reason,
                "at": begun.replace(tzinfo=None),
                "approver": approval.by,
                "approver_email": approval.email,
            },
        )


def verify(connection: Connection) -> Counter[str]:
    """Hold every change that was sent to the current build, keep the verdicts; return how many there are of each."""
    verdicts = rows(connection, "verdicts")
    with transaction(connection):
        for row in verdicts:
            connection.execute(
                """
                update review.changes set verified_state = $verified_state,
                    verified_snapshot_id = (select snapshot_id from reference.snapshot),
                    verified_at = (select finished_at from reference.snapshot)
                where change_id = $change_id
                """,
                row,
            )
    return Counter(str(row["verified_state"]) for row in verdicts)
