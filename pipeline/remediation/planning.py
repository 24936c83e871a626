"""Makes a plan from the current build: which accounts are chosen is said in ``sql/remediation``, the guards here.

A guard takes one account out of the plan and says why, or refuses the whole plan.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline import resources
from pipeline.errors import GateError, UsageError, WarehouseError
from pipeline.remediation.journal import Entry
from pipeline.remediation.plan import FIELDS, Change, LeftOut, Plan, change_id
from pipeline.settings import nearest
from pipeline.sources.writing import AccountState
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["Selection", "make", "reverse", "rows"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. ``include`` are user names of registered accounts that may be touched all the same.

    ``max_share`` is in percent of a source's accounts, ``max_age_hours`` from the end of the extract to now.
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
    """Return the plan for the current build; it may be without a change.

    Raises:
        UsageError: a rule or a name that does not exist.
        WarehouseError: nothing has been built yet.
        GateError: the snapshot is not FULL or too old, the build judges a later moment, or too many accounts would
            change.
    """
    snapshot = _snapshot(connection, selection, now)
    chosen = _chosen(connection, selection)
    accounts = {(row["source"], row["account_id"]): row for row in rows(connection, "accounts")}
    included = _included(selection.include, accounts.values())
    admins = Counter(key[0] for key, row in accounts.items() if row["is_active_admin"])
    created_at = now.astimezone(UTC).isoformat(timespec="microseconds")
    changes: list[Change] = []
    left_out: list[LeftOut] = []
    state: dict[tuple[str, str], dict[str, Any]] = {}
    for row in chosen:
        key = row["source"], row["account_id"]
        account = accounts[key]
        # what an earlier change of this plan makes of the account is what the next one finds
        expected = state.setdefault(key, AccountState.of(json.loads(account["payload"])).fields)
        takes_power = row["action"] in {"deactivate", "change_role"}
        reason = _guard(account, included, admins, takes_power=takes_power) or _impossible(row, expected)
        if reason is not None:
            left_out.append(LeftOut(row["source"], row["account_id"], account["user_name"], reason))
            continue
        admins[row["source"]] -= takes_power and bool(account["is_active_admin"])
        request = _request(row, expected)
        changes.append(
            Change(
                change_id=change_id(created_at, *key, row["action"], str(row.get("entitlement_id") or "")),
                source=row["source"],
                account_id=row["account_id"],
                user_name=account["user_name"],
                action=row["action"],
                reason=row["reason"],
                request=request,
                expected=expected,
                finding_id=row["finding_id"],
                campaign=row.get("campaign"),
                item_id=row.get("item_id"),
                entitlement_type=row.get("entitlement_type"),
                entitlement_id=row.get("entitlement_id"),
            )
        )
        state[key] = {**expected, **request}
    _refuse_too_many(changes, Counter(source for source, _ in accounts), selection.max_share)
    if selection.stale_days is not None:
        left_out += [LeftOut(**row) for row in rows(connection, "unknown_logins")]
    return Plan(
        {"created_at": created_at, **snapshot, "selection": asdict(selection)}, tuple(changes), tuple(left_out)
    )


def reverse(plan: Plan, journal: Mapping[str, Entry], now: datetime) -> Plan:
    """Return the plan that sets back what a plan has changed, from what its journal says was there before."""
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
            reason = "what it had before is not known"
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
                reason=f"Sets back {change.action} of {entry.at}.",
                request={field: entry.previous[field]},
                expected={**change.expected, **change.request},
                finding_id=change.finding_id,
            )
        )
    basis = {"created_at": created_at, "undoes": plan.plan_id, "selection": asdict(Selection())}
    return Plan(basis, tuple(changes), tuple(left_out))


def _snapshot(connection: Connection, selection: Selection, now: datetime) -> dict[str, str]:
    found = connection.execute(
        "select snapshot_id, build_id, as_of, finished_at, completeness from reference.snapshot"
    ).fetchall()
    if not found:
        raise WarehouseError("nothing has been built yet", where="database", hint="run 'access-review run' first")
    snapshot_id, build_id, as_of, finished_at, completeness = found[0]
    if completeness != "FULL":
        raise GateError(
            f"the extract is {completeness}: who is missing in it cannot be judged",
            where=f"snapshot {snapshot_id}",
            hint="extract again until it is FULL; 'access-review snapshots show' says what is wrong",
        )
    age = now.astimezone(UTC).replace(tzinfo=None) - finished_at
    if age > timedelta(hours=selection.max_age_hours):
        raise GateError(
            f"the extract is {age.total_seconds() / 3600:.1f} hours old, and may be {selection.max_age_hours:g}",
            where=f"snapshot {snapshot_id}",
            hint="run 'access-review run' again, or allow more with --max-age-hours",
        )
    if as_of > now.astimezone(UTC).replace(tzinfo=None):
        raise GateError(
            f"the build judges as of {as_of:%Y-%m-%d %H:%M}, which is still to come: "
            "nobody knows who will have logged in by then",
            where=f"snapshot {snapshot_id}",
            hint="run 'access-review build' without --as-of, then plan again",
        )
    return {
        "snapshot_id": snapshot_id,
        "build_id": build_id,
        "as_of": as_of.isoformat() + "Z",
        "extracted_at": finished_at.isoformat() + "Z",
    }


def _chosen(connection: Connection, selection: Selection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if selection.stale_days is not None:
        found += rows(connection, "stale", stale_days=selection.stale_days)
    if selection.rules:
        known = [row["rule_id"] for row in rows(connection, "deactivating_rules")]
        for rule in selection.rules:
            if rule not in known:
                match = nearest(rule, known)
                raise UsageError(
                    f"no plan can be made of '{rule}': its findings do not ask to switch an account off",
                    where="--rule",
                    hint=f"did you mean '{match}'?" if match else f"use: {', '.join(known)}",
                )
        found += rows(connection, "rules", rules=list(selection.rules))
    if selection.campaign is not None:
        found += _decided(connection, selection.campaign)
    off = {(row["source"], row["account_id"]) for row in found if row["action"] == "deactivate"}
    distinct = {
        (row["source"], row["account_id"], row["action"], str(row.get("entitlement_id") or "")): row
        for row in reversed(found)
        # who is switched off keeps role and groups, so that it can be undone
        if row["action"] == "deactivate" or (row["source"], row["account_id"]) not in off
    }
    by_account: dict[tuple[str, ...], dict[str, Any]] = {}
    for key in sorted(distinct):
        # one reason is enough to switch an account off
        by_account.setdefault(key if key[2] != "deactivate" else key[:3], distinct[key])
    return list(by_account.values())


def _decided(connection: Connection, campaign: str) -> list[dict[str, Any]]:
    names = [str(row[0]) for row in connection.execute("select campaign from review.sign_offs").fetchall()]
    if campaign not in names:
        match = nearest(campaign, names)
        raise UsageError(
            f"no campaign '{campaign}' is signed off",
            where="--campaign",
            hint=f"did you mean '{match}'?"
            if match
            else "decisions count when 'access-review review sign-off' has run",
        )
    return rows(connection, "campaign", campaign=campaign)


def _impossible(row: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    """Return why a decision cannot be carried out through the API; null if it can."""
    if row["action"] == "change_role" and row["target_role_id"] is None:
        return "the role it should have instead is not there"
    if row["action"] == "remove_from_groups" and row["entitlement_id"] not in expected["groups"]:
        return "the membership is on the group's side only, where this program does not write: remove it in Sisense"
    return None


def _request(row: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields to send: the whole new list of groups, since Sisense replaces it."""
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
                hint=f"did you mean '{match}'?" if match else "give user names as population.csv has them",
            )
    return {name.lower() for name in names}


def _guard(account: Mapping[str, Any], included: set[str], admins: Counter[str], *, takes_power: bool) -> str | None:
    """Return why this account must not be touched; null if it may."""
    if account["is_caller"]:
        return "it is the account this program logs in with"
    if account["is_install_super"]:
        return "it is the administrator made at install"
    if account["account_type"] in {"break_glass", "service"} and str(account["user_name"]).lower() not in included:
        kind = "an emergency" if account["account_type"] == "break_glass" else "a service"
        return f"it is {kind} account; name it with --include if it is meant"
    if takes_power and account["is_active_admin"] and admins[account["source"]] <= 1:
        return "it would be the last active administrator"
    return None


def _refuse_too_many(changes: Sequence[Change], accounts: Counter[str], max_share: float) -> None:
    touched = {(change.source, change.account_id) for change in changes}
    for source, count in sorted(Counter(source for source, _ in touched).items()):
        if count * 100 > max_share * accounts[source]:
            raise GateError(
                f"{count} of {accounts[source]} accounts of '{source}' would change, more than {max_share:g} %",
                where="--max-share",
                hint="see whether the choice is right; if it is, allow more with --max-share",
            )
