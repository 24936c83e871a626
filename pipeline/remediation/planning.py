"""Planning: accounts are selected from the current build by ``sql/remediation``; the guards are here.

A guard leaves an account out of the plan with a reason, or refuses the whole plan.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline import resources
from pipeline.clock import as_stored
from pipeline.errors import GateError, ModelError, UsageError, WarehouseError
from pipeline.remediation.journal import JournalEntry
from pipeline.remediation.plan import FIELDS, Change, LeftOut, Plan, PlannedAccount, change_id
from pipeline.remediation.tasks import OwnerTask
from pipeline.reporting.decisions import DecisionSum
from pipeline.sources.accounts import AccountState
from pipeline.spelling import nearest
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["MAY_BE_NAMED", "Selection", "decision_sum", "make", "reverse", "rows", "tasks"]

#: Reasons of ``reports.protected_accounts`` that --include sets aside.
MAY_BE_NAMED = frozenset({"it is an emergency account", "it is a service account"})
_REMOVES_PRIVILEGE = frozenset({"deactivate", "change_role"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The accounts and decisions to plan for, and the limits of the plan.

    ``include`` holds user names of service and emergency accounts that may change too. ``max_share`` is in percent of
    a source's accounts, ``max_age_hours`` the time since the end of the extract.
    """

    stale_days: int | None = None
    rules: tuple[str, ...] = ()
    campaign: str | None = None
    include: tuple[str, ...] = ()
    max_share: float = 10
    max_age_hours: float = 24


def rows(connection: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Return the rows of a query in ``sql/remediation``.

    Raises:
        ModelError: it does not declare its parameters.
    """
    return saved.rows(connection, resources.sql() / "remediation", name, **values)


def make(connection: Connection, selection: Selection, now: datetime) -> Plan:
    """Return the plan for the current build, which may have no changes.

    Raises:
        UsageError: there is no such rule, campaign or account.
        WarehouseError: there is no build.
        GateError: the snapshot is not FULL or too old, the build is evaluated as of a time in the future, or too many
            accounts would change.
        ModelError: the decisions of the campaign do not add up.
    """
    snapshot = _snapshot(connection, selection, now)
    decisions = [] if selection.campaign is None else _decided(connection, selection.campaign)
    accounts = {(row["source"], row["account_id"]): row for row in rows(connection, "accounts")}
    included = _included(selection.include, accounts.values())
    created_at = now.astimezone(UTC).isoformat(timespec="microseconds")
    changes, left_out = _arrange(_selected(connection, selection, decisions), accounts, included, created_at)
    _refuse_too_many(changes, Counter(source for source, _ in accounts), selection.max_share)
    basis: dict[str, Any] = {"created_at": created_at, **snapshot, "selection": asdict(selection)}
    if selection.campaign is not None:
        basis["decisions"] = _sum(selection.campaign, decisions, changes, left_out)
    if selection.stale_days is not None:
        left_out += [LeftOut(**row) for row in rows(connection, "unknown_logins")]
    return Plan(basis, tuple(changes), tuple(left_out), accounts=_described(connection, changes, accounts))


def tasks(connection: Connection, selection: Selection) -> list[OwnerTask]:
    """Return what the selection calls for in applications that are read from files, by owner.

    Raises:
        UsageError: there is no such rule or campaign.
    """
    decisions = [] if selection.campaign is None else _decided(connection, selection.campaign)
    keys = ("source", "account_id", "decided_by", "campaign", "item_id")
    selected = [
        {key: row.get(key) for key in keys}
        | {"entitlement_id": None if row["action"] == "deactivate" else row.get("entitlement_id")}
        | {"reason": row.get("words") if row.get("campaign") else row["reason"]}
        for row in _selected(connection, selection, decisions)
        if row.get("is_task")
    ]
    return [OwnerTask(**row) for row in rows(connection, "tasks", selected=json.dumps(selected))]


def decision_sum(plan: Plan) -> DecisionSum | None:
    """Return the sum of the decisions of the plan's campaign, or None if it has none."""
    found = plan.basis.get("decisions")
    if not found:
        return None
    return DecisionSum(plan.basis["selection"]["campaign"], found["decided"], tuple(map(tuple, found["terms"])))


def _arrange(
    selected: Sequence[Mapping[str, Any]],
    accounts: Mapping[tuple[str, str], Mapping[str, Any]],
    included: set[str],
    created_at: str,
) -> tuple[list[Change], list[LeftOut]]:
    """Turn selected rows into changes, each based on the previous one; leave out what a guard refuses."""
    admins: dict[str, set[str]] = {}
    for (source, account_id), account in accounts.items():
        if account["is_active_admin"]:
            admins.setdefault(source, set()).add(account_id)
    changes: list[Change] = []
    left_out: list[LeftOut] = []
    state: dict[tuple[str, str], dict[str, Any]] = {}
    for row in selected:
        key = row["source"], row["account_id"]
        account = accounts.get(key, {})
        reason = _refusal(row, account, included, admins)
        if reason is None:
            # A change of this plan sees the account as the earlier ones leave it.
            expected = state.setdefault(key, AccountState.of(json.loads(account["payload"])).fields)
            reason = _obstacle(row, expected)
        if reason is not None:
            left_out.append(
                LeftOut(
                    *key,
                    account.get("user_name") or row.get("user_name"),
                    reason,
                    display_name=account.get("display_name") or row.get("display_name"),
                    action=row["action"],
                    what=_what(row),
                    decided_by=row.get("decided_by"),
                    campaign=row.get("campaign"),
                    item_id=row.get("item_id"),
                )
            )
            continue
        if row["action"] in _REMOVES_PRIVILEGE:
            admins.get(row["source"], set()).discard(row["account_id"])
        changes.append(_change(row, account, expected, change_id(created_at, *key, row["action"], _id_of(row))))
        state[key] = {**expected, **changes[-1].request}
    return changes, left_out


def _change(row: Mapping[str, Any], account: Mapping[str, Any], expected: Mapping[str, Any], identity: str) -> Change:
    return Change(
        change_id=identity,
        source=row["source"],
        account_id=row["account_id"],
        user_name=account["user_name"],
        action=row["action"],
        reason=row["reason"],
        request=_request(row, expected),
        expected=expected,
        finding_id=row["finding_id"],
        campaign=row.get("campaign"),
        item_id=row.get("item_id"),
        entitlement_type=row.get("entitlement_type"),
        entitlement_id=row.get("entitlement_id"),
        entitlement_name=row.get("entitlement_name"),
        target_name=row.get("target_name"),
        decided_by=row.get("decided_by"),
        words=row.get("words"),
    )


def _sum(
    campaign: str, decisions: Sequence[Mapping[str, Any]], changes: Sequence[Change], left_out: Sequence[LeftOut]
) -> dict[str, Any]:
    """Account for every decision of a campaign; those in the plan are not yet verified."""
    outcomes: list[tuple[str, str | None]] = [
        (row["outcome"], None) for row in decisions if row["outcome"] in {"done", "gone"}
    ]
    outcomes += [("open", None) for change in changes if change.item_id]
    outcomes += [("left_out", row.reason) for row in left_out if row.item_id]
    found = DecisionSum.of(campaign, len(decisions), outcomes)
    if not found.holds:
        raise ModelError(
            f"the decisions do not add up: {found.text}", where=f"campaign {campaign}", hint="report this as a bug"
        )
    return {"decided": found.decided, "terms": [list(term) for term in found.terms]}


def _described(
    connection: Connection, changes: Sequence[Change], accounts: Mapping[tuple[str, str], Mapping[str, Any]]
) -> tuple[PlannedAccount, ...]:
    """Return the accounts that change, with names for people."""
    keys = sorted({(change.source, change.account_id) for change in changes})
    groups: dict[tuple[str, str], dict[str, str]] = {key: {} for key in keys}
    for row in rows(connection, "groups", account_ids=[account_id for _, account_id in keys]):
        held = groups.get((row["source"], row["account_id"]))
        if held is not None:
            held[row["group_id"]] = row["group_name"]
    return tuple(
        PlannedAccount(
            *key,
            display_name=account["display_name"] or account["user_name"] or key[1],
            email=account["email"],
            status=account["status"],
            role=account["role_display_name"],
            person_id=account["person_id"],
            person=account["person"],
            groups=groups[key],
        )
        for key in keys
        for account in (accounts[key],)
    )


def reverse(plan: Plan, journal: Mapping[str, JournalEntry], now: datetime) -> Plan:
    """Return the plan that restores the values that the journal of a plan recorded before its changes."""
    created_at = now.astimezone(UTC).isoformat(timespec="microseconds")
    actions = {"active": "activate", "roleId": "restore_role", "groups": "restore_groups"}
    changes: list[Change] = []
    left_out: list[LeftOut] = []
    for change in reversed(plan.changes):
        entry = journal.get(change.change_id)
        if entry is None or entry.state != "applied" or entry.previous is None:
            continue
        field = FIELDS[change.action]
        if entry.previous[field] is None:
            reason = "its value before the change is not known"
            left_out.append(LeftOut(change.source, change.account_id, change.user_name, reason))
            continue
        action = actions[field]
        changes.append(
            Change(
                change_id=change_id(created_at, change.source, change.account_id, action),
                source=change.source,
                account_id=change.account_id,
                user_name=change.user_name,
                action=action,
                reason=f"Undoes {change.action} of {entry.at}.",
                request={field: entry.previous[field]},
                expected={**change.expected, **change.request},
                finding_id=change.finding_id,
                entitlement_name=change.entitlement_name,
                target_name=change.target_name,
            )
        )
    basis = {"created_at": created_at, "undoes": plan.plan_id, "selection": asdict(Selection())}
    touched = {(change.source, change.account_id) for change in changes}
    accounts = tuple(each for each in plan.accounts if (each.source, each.account_id) in touched)
    return Plan(basis, tuple(changes), tuple(left_out), accounts=accounts)


def _snapshot(connection: Connection, selection: Selection, now: datetime) -> dict[str, str]:
    found = connection.execute(
        "select snapshot_id, build_id, as_of, finished_at, completeness from reference.snapshot"
    ).fetchall()
    if not found:
        raise WarehouseError("nothing has been built yet", where="database", hint="run 'access-review run' first")
    snapshot_id, build_id, as_of, finished_at, completeness = found[0]
    if completeness != "FULL":
        raise GateError(
            f"the extract is {completeness}: accounts may be missing from it",
            where=f"snapshot {snapshot_id}",
            hint="extract again until it is FULL; 'access-review snapshots show' says what is wrong",
        )
    age = as_stored(now) - finished_at
    if age > timedelta(hours=selection.max_age_hours):
        raise GateError(
            f"the extract is {age.total_seconds() / 3600:.1f} hours old, the limit is {selection.max_age_hours:g}",
            where=f"snapshot {snapshot_id}",
            hint="run 'access-review run' again, or raise the limit with --max-age-hours",
        )
    if as_of > as_stored(now):
        raise GateError(
            f"the build is evaluated as of {as_of:%Y-%m-%d %H:%M}, which is in the future: "
            "accounts may log in before then",
            where=f"snapshot {snapshot_id}",
            hint="run 'access-review build' without --as-of, then plan again",
        )
    return {
        "snapshot_id": snapshot_id,
        "build_id": build_id,
        "as_of": as_of.isoformat() + "Z",
        "extracted_at": finished_at.isoformat() + "Z",
    }


def _selected(
    connection: Connection, selection: Selection, decisions: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    # Decisions come first: if a rule selects the same deactivation, the change rests on the decision.
    found = [row for row in decisions if row["outcome"] in {"open", "left_out"}]
    if selection.stale_days is not None:
        found += rows(connection, "stale", stale_days=selection.stale_days)
    if selection.rules:
        known = [row["rule_id"] for row in rows(connection, "deactivating_rules")]
        for rule in selection.rules:
            if rule not in known:
                match = nearest(rule, known)
                raise UsageError(
                    f"there is no rule '{rule}' whose findings call for deactivation",
                    where="--rule",
                    hint=f"did you mean '{match}'?" if match else f"use: {', '.join(known)}",
                )
        found += rows(connection, "rules", rules=list(selection.rules))
    distinct: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in found:
        # One deactivation is enough, whatever the number of reasons.
        part = "" if row["action"] == "deactivate" else _id_of(row)
        distinct.setdefault((row["source"], row["account_id"], row["action"], part), row)
    return [distinct[key] for key in sorted(distinct)]


def _decided(connection: Connection, campaign: str) -> list[dict[str, Any]]:
    names = [str(row[0]) for row in connection.execute("select campaign from review.sign_offs").fetchall()]
    if campaign not in names:
        match = nearest(campaign, names)
        raise UsageError(
            f"no campaign '{campaign}' is signed off",
            where="--campaign",
            hint=f"did you mean '{match}'?" if match else "run 'access-review review sign-off' first",
        )
    return rows(connection, "campaign", campaign=campaign)


def _obstacle(row: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    """Return why a decision cannot be carried out over the API, or None if it can."""
    if row["action"] == "change_role" and row["target_role_id"] is None:
        return "the role that should replace it does not exist"
    if row["action"] == "remove_from_groups" and row["entitlement_id"] not in expected["groups"]:
        return "only the group lists the membership, and this program does not change that list: remove it in Sisense"
    return None


def _request(row: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields to send. Groups are sent as the whole new list, because Sisense replaces it."""
    if row["action"] == "change_role":
        return {"roleId": row["target_role_id"]}
    if row["action"] == "remove_from_groups":
        return {"groups": [group for group in expected["groups"] if group != row["entitlement_id"]]}
    return {"active": False}


def _included(names: Sequence[str], accounts: Any) -> set[str]:
    known = {str(row["user_name"]).lower() for row in accounts if row["user_name"]}
    for name in names:
        if name.lower() not in known:
            match = nearest(name.lower(), known)
            raise UsageError(
                f"there is no account '{name}'",
                where="--include",
                hint=f"did you mean '{match}'?" if match else "use the user names in population.csv",
            )
    return {name.lower() for name in names}


def _refusal(
    row: Mapping[str, Any], account: Mapping[str, Any], included: set[str], admins: Mapping[str, set[str]]
) -> str | None:
    """Return why a change is refused, or None if it is allowed. ``admins`` are the remaining ones by source."""
    is_included = str(account.get("user_name")).lower() in included
    if row.get("outcome") == "left_out" and not (row["may_be_named"] and is_included):
        return str(row["left_out_because"])
    if account["applies_to"] == "any" and not (account["may_be_named"] and is_included):
        return str(account["protection"])
    if row["action"] in _REMOVES_PRIVILEGE and admins.get(row["source"]) == {row["account_id"]}:
        return "it would be the last active administrator"
    return None


def _what(row: Mapping[str, Any]) -> str:
    """Return the requested change, in words."""
    if row.get("is_task") and row["action"] != "deactivate":
        return f"lose {row['entitlement_type']} {row['entitlement_name']}"
    if row["action"] == "remove_from_groups":
        return f"leave group {row['entitlement_name']}"
    if row["action"] == "change_role":
        return f"role {row['entitlement_name']} to {row['target_name'] or 'one that is not there'}"
    return "deactivate"


def _id_of(row: Mapping[str, Any]) -> str:
    return str(row.get("entitlement_id") or "")


def _refuse_too_many(changes: Sequence[Change], accounts: Counter[str], max_share: float) -> None:
    touched = {(change.source, change.account_id) for change in changes}
    for source, count in sorted(Counter(source for source, _ in touched).items()):
        if count * 100 > max_share * accounts[source]:
            raise GateError(
                f"{count} of {counted(accounts[source], 'account')} of '{source}' would change, "
                f"more than {max_share:g} %",
                where="--max-share",
                hint="check the selection; if it is right, raise the limit with --max-share",
            )
