"""A campaign: opened over the current build, and what is known of it at any moment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipeline import resources
from pipeline.addresses import AddressError, read_address
from pipeline.errors import GateError, IncompleteError, UsageError, WarehouseError
from pipeline.spelling import nearest
from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["SCOPES", "Campaign", "find", "hold_current", "open_campaign", "rows"]

SCOPES = ("all", "privileged", "flagged", "changed")
#: Who is asked unless somebody else is named: whoever answers for the role or group, else the person's manager.
_DEFAULT_CHAIN = ("owner", "manager")
#: A campaign's name becomes the name of a folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Campaign:
    """One row of ``review.campaigns``, and whether it is signed off. Times are UTC without a zone."""

    campaign: str
    snapshot_id: str
    build_id: str
    scope: str
    due_on: date | None
    opened_at: datetime
    is_signed: bool


def rows(connection: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Return the rows of a query in ``sql/review``."""
    return saved.rows(connection, resources.sql() / "review", name, **values)


def open_campaign(
    connection: Connection,
    *,
    name: str,
    scope: str,
    chain: Sequence[str],
    due_on: date | None,
    now: datetime,
) -> Campaign:
    """Freeze the access of the current build and give every item its reviewer; nothing is kept if that fails.

    ``chain`` is who is asked, in order: ``owner``, ``manager`` or an e-mail address.

    Raises:
        UsageError: the name, the scope or a reviewer makes no sense, or the name is taken.
        WarehouseError: nothing has been built yet.
        IncompleteError: the snapshot is not proven complete.
        GateError: an item has nobody to decide on it, or there is no item.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a campaign's name",
            where="--name",
            hint="use letters, digits, '.', '_' and '-', as in 2026-Q4",
        )
    if due_on is not None and due_on < now.date():
        raise UsageError(f"{due_on} is past", where="--due", hint="name a day from today on")
    reviewers = _chain(chain)
    with database.transaction(connection):
        snapshot = _current(connection)
        if connection.execute("select 1 from review.campaigns where campaign = $name", {"name": name}).fetchone():
            raise UsageError(
                f"there is a campaign '{name}' already", where="review.campaigns", hint="choose another --name"
            )
        connection.execute(
            """
            insert into review.campaigns by name
            select
                $1 as campaign, $2 as snapshot_id, $3 as build_id, cast($4 as timestamp) as as_of, $5 as scope,
                $6 as reviewers, cast($7 as date) as due_on, cast($8 as timestamp) as opened_at,
                (select count(distinct item_id) from reports.access) as snapshot_items,
                (select count(*) from reports.population) as snapshot_accounts
            """,
            [name, snapshot["snapshot_id"], snapshot["build_id"], snapshot["as_of"], scope, reviewers, due_on, now],
        )
        query = saved.find(saved.load_queries(resources.sql() / "review"), "items", _ITEM_VALUES)
        values = {
            "campaign": name,
            "scope": scope,
            "owner_rank": reviewers.index("owner") + 1 if "owner" in reviewers else None,
            "manager_rank": reviewers.index("manager") + 1 if "manager" in reviewers else None,
            "fallbacks": [reviewer for reviewer in reviewers if "@" in reviewer],
        }
        connection.execute(f"insert into review.items by name {query.sql}", values)
        _refuse_unassigned(connection, name)
    return find(connection, name)


#: The parameters of ``sql/review/items.sql``, which runs inside an insert.
_ITEM_VALUES = dict.fromkeys(("campaign", "scope", "owner_rank", "manager_rank", "fallbacks"))


def find(connection: Connection, name: str | None, *, or_last: bool = False) -> Campaign:
    """Return a campaign by its name; without one, the only campaign that is not signed off.

    ``or_last``: the one that was opened last, if all are signed off.

    Raises:
        UsageError: there is none of that name, or it is not clear which is meant.
    """
    known = [
        Campaign(*row)
        for row in connection.execute(
            """
            select c.campaign, c.snapshot_id, c.build_id, c.scope, c.due_on, c.opened_at, s.campaign is not null
            from review.campaigns as c left join review.sign_offs as s on s.campaign = c.campaign
            order by c.opened_at, c.campaign
            """
        ).fetchall()
    ]
    if name is None:
        still_open = [each for each in known if not each.is_signed]
        if len(still_open) == 1:
            return still_open[0]
        if or_last and known and not still_open:
            return known[-1]
        raise UsageError(
            "no campaign is open" if not still_open else f"{len(still_open)} campaigns are open",
            where="review.campaigns",
            hint="'access-review review open --name 2026-Q4' opens one; --name says which is meant",
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


def hold_current(connection: Connection, name: str) -> None:
    """Make the temporary table ``current_items``: each item somebody is asked about, with the decision that holds."""
    query = saved.find(saved.load_queries(resources.sql() / "review"), "current", {"campaign": None})
    connection.execute(f"create or replace temp table current_items as {query.sql}", {"campaign": name})


def _chain(chain: Sequence[str]) -> list[str]:
    roles = [each.strip().lower() for each in chain if each.strip().lower() in _DEFAULT_CHAIN]
    try:
        named = [read_address(each) for each in chain if each.strip().lower() not in _DEFAULT_CHAIN]
    except AddressError as error:
        raise UsageError(str(error), where="--reviewer", hint="write owner, manager or an e-mail address") from error
    roles = roles or list(_DEFAULT_CHAIN)
    return list(dict.fromkeys([*roles, *named]))


def _current(connection: Connection) -> dict[str, Any]:
    cursor = connection.execute("select snapshot_id, build_id, as_of, completeness, reason from reference.snapshot")
    names = [column[0] for column in cursor.description or []]
    row = cursor.fetchone()
    if row is None:
        raise WarehouseError("nothing has been built yet", where="database", hint="run 'access-review run' first")
    snapshot = dict(zip(names, row, strict=True))
    if snapshot["completeness"] != "FULL":
        raise IncompleteError(
            f"the extract is {snapshot['completeness']}: {snapshot['reason']}",
            where=f"snapshot {snapshot['snapshot_id']}",
            hint="a review needs a population that is proven complete: extract again",
        )
    return snapshot


def _refuse_unassigned(connection: Connection, name: str) -> None:
    [(items, unassigned)] = connection.execute(
        """
        select count(*), count(*) filter (where reviewer_email is null) from review.items
        where campaign = $name and exclusion_reason is null
        """,
        {"name": name},
    ).fetchall()
    if not items:
        raise GateError("there is nothing to review", where=f"campaign {name}", hint="choose a wider --scope")
    if unassigned:
        shown = connection.execute(
            """
            select coalesce(display_name, account_id) || ' - ' || entitlement_type || ' '
                || coalesce(entitlement_name, entitlement_id)
            from review.items where campaign = $name and exclusion_reason is null and reviewer_email is null
            order by all limit $most
            """,
            {"name": name, "most": _SHOWN},
        ).fetchall()
        raise GateError(
            f"nobody is there to decide on {unassigned} of {counted(items, 'item')}: "
            + "; ".join(text for (text,) in shown)
            + (" ..." if unassigned > len(shown) else ""),
            where=f"campaign {name}",
            hint="add --reviewer with an e-mail address that is asked last; nobody reviews their own access",
        )
