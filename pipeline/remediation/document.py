"""The plan as a document to read before approving it: grouped by person, with names instead of ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import inputs
from pipeline.remediation.plan import FIELDS, Change, LeftOut, Plan, PlannedAccount
from pipeline.remediation.planning import decision_sum
from pipeline.reporting import plans
from pipeline.reporting.text import count, moment

__all__ = ["describe", "write"]

#: Rows that were left out, in the document; the plan file has all of them.
_LEFT_OUT_SHOWN = 200


def write(plan: Plan, path: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write the plan as HTML and PDF beside its file; return the files and warnings.

    Raises:
        RenderError: a file cannot be written.
    """
    return plans.write(path, _arrange(plan, path.name))


def describe(change: Change) -> str:
    """Return what a change does to its account, in words. It is an order: at this point nothing has been done."""
    name = change.entitlement_name or change.entitlement_id or "groups"
    match change.action:
        case "deactivate":
            return "deactivate"
        case "activate":
            return "activate again"
        case "change_role":
            return f"change role {name} to {change.target_name or change.request['roleId']}"
        case "restore_role":
            return f"set role {change.target_name or 'it has now'} back to {name}"
        case "restore_groups":
            return f"put back into group {name}"
        case _:
            return f"remove from group {name}"


def _arrange(plan: Plan, file_name: str) -> dict[str, Any]:
    accounts = {(each.source, each.account_id): each for each in plan.accounts}
    by_account: dict[tuple[str, str], list[Change]] = {}
    for change in plan.changes:
        by_account.setdefault((change.source, change.account_id), []).append(change)
    has_several_sources = len({source for source, _ in by_account}) > 1
    people: dict[tuple[str, ...], dict[str, Any]] = {}
    for key, changes in by_account.items():
        account = accounts.get(key) or _unknown(changes[0])
        holder = (account.person_id,) if account.person_id else key
        person = people.setdefault(holder, {"name": account.person or account.display_name, "accounts": []})
        person["accounts"].append(_account(account, changes, shows_source=has_several_sources))
    found = decision_sum(plan)
    return {
        "plan_id": plan.plan_id,
        "file_name": file_name,
        "created_at": datetime.fromisoformat(plan.basis["created_at"]),
        "basis": _basis(plan),
        "equation": found.text if found else None,
        "total": len(plan.changes),
        "account_total": len(by_account),
        "people": sorted(people.values(), key=lambda person: str(person["name"]).lower()),
        "left_out": [
            {
                "name": row.display_name or row.user_name or row.account_id,
                "what": row.what or "deactivate",
                "decided_by": row.decided_by,
                "reason": row.reason,
            }
            for row in sorted(plan.left_out, key=_by_name)
        ],
        "left_out_shown": _LEFT_OUT_SHOWN,
    }


def _by_name(row: LeftOut) -> tuple[str, ...]:
    """Return the key that sorts what was left out by name; plans are in the order of ids."""
    name = row.display_name or row.user_name or row.account_id
    return name.lower(), row.source, row.account_id, row.what or "", row.reason


def _account(account: PlannedAccount, changes: Sequence[Change], *, shows_source: bool) -> dict[str, Any]:
    facts = [account.email or account.display_name, f"role {account.role or 'unknown'}", account.status]
    # Group changes with the same decision maker and reason share a line.
    lines: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        part = change.action if FIELDS[change.action] == "groups" else change.change_id
        why = (change.words if change.item_id else change.reason) or ""
        lines.setdefault((part, _decider(change), why), []).append(change)
    return {
        "facts": [*facts, account.source] if shows_source else facts,
        "summary": _summary(account, changes),
        "changes": [
            {"what": _line(same), "decided_by": decider, "why": why} for (_, decider, why), same in lines.items()
        ],
    }


def _line(changes: Sequence[Change]) -> str:
    line = describe(changes[0])
    if len(changes) > 1:
        verb = line.partition(" group ")[0]
        line = (
            f"{verb} groups {', '.join(str(change.entitlement_name or change.entitlement_id) for change in changes)}"
        )
    return line[:1].upper() + line[1:]


def _summary(account: PlannedAccount, changes: Sequence[Change]) -> str:
    """Return ``remove from 8 groups, keep 3; change role Designer to Viewer``."""
    left = {change.entitlement_id for change in changes if change.action == "remove_from_groups"}
    parts = []
    if left:
        kept = len(account.groups.keys() - left)
        parts.append(f"remove from {count(len(left), 'group')}, keep {kept or 'none'}")
    back = sum(change.action == "restore_groups" for change in changes)
    if back:
        parts.append(f"put back into {count(back, 'group')}")
    return "; ".join(
        [
            *parts,
            *(
                describe(change)
                for change in changes
                if change.action not in {"remove_from_groups", "restore_groups"}
            ),
        ]
    )


def _decider(change: Change) -> str:
    if change.decided_by:
        return f"{change.decided_by}, review {change.campaign}"
    return "a rule" if change.finding_id else "the author of the plan"


def _basis(plan: Plan) -> str:
    selection = plan.basis.get("selection", {})
    if "undoes" in plan.basis:
        return f"what plan {str(plan.basis['undoes'])[:12]} changed, to set it back"
    parts = []
    if selection.get("campaign"):
        parts.append(f"the decisions of review {selection['campaign']}")
    if selection.get("rules"):
        titles = {model.name: model.title for model in inputs.models() if model.is_rule}
        parts.append("open findings of " + ", ".join(f"“{titles.get(each, each)}”" for each in selection["rules"]))
    if selection.get("stale_days") is not None:
        parts.append(f"accounts last seen more than {count(selection['stale_days'], 'day')} ago")
    extracted = plan.basis.get("extracted_at")
    where = f", in the extract of {moment(datetime.fromisoformat(extracted))}" if extracted else ""
    return ", and ".join(parts) + where


def _unknown(change: Change) -> PlannedAccount:
    """Return a placeholder for an account that a plan of an earlier version does not describe."""
    name = change.user_name or change.account_id
    return PlannedAccount(change.source, change.account_id, name, None, "status unknown", None, None, None, {})
