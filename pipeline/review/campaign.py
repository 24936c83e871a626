"""Campaigns: opened over the current build, found by name, and counted as decisions come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.addresses import AddressError, read_address
from pipeline.clock import as_stored
from pipeline.errors import GateError, IncompleteError, UsageError, WarehouseError
from pipeline.spelling import nearest
from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = [
    "SCOPES",
    "Blocker",
    "Campaign",
    "LeftOutItems",
    "NewCampaign",
    "ReviewQuality",
    "ReviewerProgress",
    "RiskProgress",
    "blockers",
    "every",
    "find",
    "find_unsealed",
    "left_out",
    "open_campaign",
    "progress_by_reviewer",
    "progress_by_risk",
    "quality",
    "rows",
]

SCOPES = ("all", "privileged", "external", "flagged", "changed")
#: Reviewers unless others are named: the owner of the role or group, else the manager of the account's holder.
_DEFAULT_CHAIN = ("owner", "manager")
#: A campaign's name is also the name of a folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Items that an error lists.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, with its sign-off if there is one. Times are aware, in UTC."""

    campaign: str
    snapshot_id: str
    build_id: str
    scope: str
    due_on: date | None
    opened_at: datetime
    signed_at: datetime | None
    sign_off_folder: str | None
    signed_by: str | None = None

    @property
    def is_signed(self) -> bool:
        """Return whether the campaign is signed off."""
        return self.signed_at is not None


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A campaign to open: its name, the access to review, the last day for decisions, and the reviewers in order.

    ``reviewers`` holds ``owner``, ``manager`` and e-mail addresses; the first that applies to an item reviews it.
    """

    name: str
    scope: str = "all"
    reviewers: Sequence[str] = ()
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReviewerProgress:
    """Decisions of one reviewer: number of items, decided and pending, by decision and by risk."""

    reviewer_email: str
    items: int
    decided: int
    pending: int
    kept: int
    removed: int
    reduced: int
    deferred: int
    excepted: int
    high_risk: int
    high_risk_pending: int


@dataclass(frozen=True, slots=True)
class RiskProgress:
    """Decisions on the items of one risk."""

    risk: str
    items: int
    decided: int
    pending: int


@dataclass(frozen=True, slots=True)
class Blocker:
    """An item that blocks the sign-off, and why."""

    problem: str
    item_id: str
    reviewer_email: str
    display_name: str | None
    entitlement_name: str | None


@dataclass(frozen=True, slots=True)
class LeftOutItems:
    """How many items were left out of a campaign for one reason."""

    reason: str
    items: int


@dataclass(frozen=True, slots=True)
class ReviewQuality:
    """All decisions of a campaign: ``kept`` to ``pending`` add up to ``items``.

    ``approval_rate`` is the share of decisions that keep access, 0 to 1, or None without a decision. ``longest_run``
    is the longest run of equal decisions in one packet. ``snapshot_items`` and ``snapshot_accounts`` count the whole
    snapshot, in scope or not. ``by_link``, ``by_oidc`` and ``by_file`` count how decisions were made, and
    ``in_bulk`` those that accepted the recommendations for a person in one step.
    """

    items: int
    kept: int
    removed: int
    reduced: int
    deferred: int
    excepted: int
    pending: int
    high_risk: int
    reviewers: int
    accounts: int
    approval_rate: float | None
    by_link: int
    by_oidc: int
    by_file: int
    in_bulk: int
    longest_run: int | None
    snapshot_items: int | None
    snapshot_accounts: int | None
    left_out: int


def rows(connection: Connection, name: str, /, **values: object) -> list[dict[str, Any]]:
    """Return the rows of a statement in ``sql/review``."""
    return saved.rows(connection, resources.sql() / "review", name, **values)


def open_campaign(connection: Connection, new: NewCampaign, now: datetime) -> Campaign:
    """Freeze the access of the current build and assign each item to a reviewer, in one transaction.

    Raises:
        UsageError: the name, the scope, the due date or a reviewer is invalid, or the name is taken.
        WarehouseError: there is no build.
        IncompleteError: the snapshot is not FULL.
        GateError: an item has no reviewer, or there are no items.
    """
    if not _NAME.fullmatch(new.name):
        raise UsageError(
            f"'{new.name}' cannot be a campaign's name",
            where="--name",
            hint="use letters, digits, '.', '_' and '-', as in 2026-Q4",
        )
    if new.scope not in SCOPES:
        raise UsageError(f"'{new.scope}' is not a scope", where="--scope", hint=f"use {', '.join(SCOPES)}")
    if new.due_on is not None and new.due_on < now.date():
        raise UsageError(f"the due date {new.due_on} is in the past", where="--due", hint="choose today or later")
    reviewers = _reviewer_chain(new.reviewers)
    with database.transaction(connection):
        _require_full_build(connection)
        if new.scope == "external":
            _require_domains(connection)
        if any(each.campaign == new.name for each in every(connection)):
            raise UsageError(
                f"there is a campaign '{new.name}' already", where="review.campaigns", hint="choose another --name"
            )
        rows(
            connection,
            "open",
            campaign=new.name,
            scope=new.scope,
            reviewers=reviewers,
            due_on=new.due_on,
            opened_at=as_stored(now),
        )
        addresses = saved.statement("review", "person_addresses")
        connection.execute(f"create or replace temp table person_addresses as {addresses}")
        rows(
            connection,
            "items",
            campaign=new.name,
            scope=new.scope,
            owner_rank=_rank("owner", reviewers),
            manager_rank=_rank("manager", reviewers),
            fallbacks=[reviewer for reviewer in reviewers if "@" in reviewer],
        )
        _refuse_unassigned(connection, new.name)
    return find(connection, new.name)


def every(connection: Connection) -> list[Campaign]:
    """Return all campaigns, in the order in which they were opened."""
    return [Campaign(**{**row, **_aware(row)}) for row in rows(connection, "campaigns")]


def find(connection: Connection, name: str | None, *, or_last: bool = False) -> Campaign:
    """Return a campaign by its name; without a name, the only open one.

    ``or_last``: without a name, return the campaign opened last if all are signed off.

    Raises:
        UsageError: there is no campaign of that name, or none or several are open.
    """
    known = every(connection)
    if name is None:
        still_open = [each for each in known if not each.is_signed]
        if len(still_open) == 1:
            return still_open[0]
        if or_last and known and not still_open:
            return known[-1]
        raise UsageError(
            f"{len(still_open)} campaigns are open" if still_open else "no campaign is open",
            where="review.campaigns",
            hint="choose one with --name, or open one with 'access-review review open --name 2026-Q4'",
        )
    for each in known:
        if each.campaign == name:
            return each
    match = nearest(name, [each.campaign for each in known])
    raise UsageError(
        f"there is no campaign '{name}'",
        where="review.campaigns",
        hint=f"did you mean '{match}'?" if match else "'access-review review open' opens one",
    )


def find_unsealed(connection: Connection, directory: Path) -> Campaign | None:
    """Return the campaign signed last if none is open and its sealed folder is missing from ``directory``."""
    known = every(connection)
    if not known or not all(each.is_signed for each in known):
        return None
    last = max(known, key=lambda each: (each.signed_at, each.campaign))
    return None if (directory / str(last.sign_off_folder)).exists() else last


def progress_by_reviewer(connection: Connection, campaign: str) -> tuple[ReviewerProgress, ...]:
    """Return the progress of each reviewer of a campaign, by e-mail address."""
    return tuple(ReviewerProgress(**row) for row in rows(connection, "progress", campaign=campaign))


def progress_by_risk(connection: Connection, campaign: str) -> tuple[RiskProgress, ...]:
    """Return the progress of a campaign for each risk, the most severe first."""
    return tuple(RiskProgress(**row) for row in rows(connection, "progress_by_risk", campaign=campaign))


def quality(connection: Connection, campaign: str) -> ReviewQuality:
    """Return how many items have which decision, and signs of careless review."""
    return ReviewQuality(**rows(connection, "quality", campaign=campaign)[0])


def blockers(connection: Connection, campaign: str) -> tuple[Blocker, ...]:
    """Return the items that block the sign-off of a campaign."""
    return tuple(Blocker(**row) for row in rows(connection, "blockers", campaign=campaign))


def left_out(connection: Connection, campaign: str) -> tuple[LeftOutItems, ...]:
    """Return how many items of a campaign were left out, for each reason."""
    return tuple(LeftOutItems(**row) for row in rows(connection, "left_out", campaign=campaign))


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    """Return the times of a row with their zone; the database stores UTC without one."""
    return {name: value.replace(tzinfo=UTC) for name, value in row.items() if isinstance(value, datetime)}


def _reviewer_chain(chain: Sequence[str]) -> list[str]:
    roles = [each.strip().lower() for each in chain if each.strip().lower() in _DEFAULT_CHAIN]
    try:
        named = [read_address(each) for each in chain if each.strip().lower() not in _DEFAULT_CHAIN]
    except AddressError as error:
        raise UsageError(str(error), where="--reviewer", hint="write owner, manager or an e-mail address") from error
    roles = roles or list(_DEFAULT_CHAIN)
    return list(dict.fromkeys([*roles, *named]))


def _rank(role: str, reviewers: Sequence[str]) -> int | None:
    return reviewers.index(role) + 1 if role in reviewers else None


def _require_full_build(connection: Connection) -> None:
    row = connection.execute("select snapshot_id, completeness, reason from reference.snapshot").fetchone()
    if row is None:
        raise WarehouseError("nothing has been built yet", where="database", hint="run 'access-review run' first")
    snapshot_id, completeness, reason = row
    if completeness != "FULL":
        raise IncompleteError(
            f"the extract is {completeness}: {reason}",
            where=f"snapshot {snapshot_id}",
            hint="a review needs a population that is proven complete: extract again",
        )


def _require_domains(connection: Connection) -> None:
    row = connection.execute("select count(*) from policy.email_domains").fetchone()
    if row == (0,):
        raise UsageError(
            "which accounts are external is not known",
            where="--scope",
            hint="list your own domains in email_domains of [organization], and run 'access-review build'",
        )


def _refuse_unassigned(connection: Connection, name: str) -> None:
    unassigned = [row["item"] for row in rows(connection, "unassigned", campaign=name)]
    items = sum(each.items for each in progress_by_reviewer(connection, name))
    if not items:
        raise GateError("there is nothing to review", where=f"campaign {name}", hint="choose a wider --scope")
    if unassigned:
        raise GateError(
            f"{len(unassigned)} of {counted(items, 'item')} have no reviewer: {'; '.join(unassigned[:_SHOWN])}"
            + (f"; and {len(unassigned) - _SHOWN} more" if len(unassigned) > _SHOWN else ""),
            where=f"campaign {name}",
            hint="name a last reviewer with --reviewer and an e-mail address; people never review their own access",
        )
