"""Decisions coming in: a returned packet is checked whole, and imported whole or not at all."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.addresses import AddressError, read_address
from pipeline.errors import GateError, UsageError
from pipeline.reporting.packets import ANSWERS, DECISIONS
from pipeline.review import campaign as campaigns
from pipeline.review import facts
from pipeline.review.returned import AmbiguousDateError, Row, read, to_date
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection

__all__ = ["CellProblem", "Imported", "import_file"]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """One thing wrong in a file: where, as ``row 7, C7``, and what."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class _Decision:
    """What somebody decided on one item; the columns of ``review.decisions`` that say it."""

    decision: str
    reason: str | None
    target_role: str | None
    defer_until: date | None
    approver: str | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: decisions that are new, that changed, that stood already, and rows left blank.

    ``notes`` say which sheets of a workbook were left out.
    """

    campaign: str
    new: int
    changed: int
    unchanged: int
    blank: int
    problems: tuple[CellProblem, ...]
    notes: tuple[str, ...] = ()


def import_file(
    connection: Connection, path: Path, *, name: str | None, now: datetime, skip_invalid: bool = False
) -> Imported:
    """Import one returned packet in one transaction.

    With problems nothing of it is imported, unless ``skip_invalid``: then everything but the rows that have one.
    A file that was imported before changes nothing; a decision that changed keeps the earlier one in the table.

    Raises:
        UsageError: the file cannot be read, or it is not clear which campaign it belongs to.
        GateError: the campaign is signed off.
    """
    notes: list[str] = []
    rows = [row for row in read(path, notes.append) if _is_answer(row)]
    named = {facts.campaign_of(row.text("campaign")) for row in rows if row.text("item_id")} - {""}
    if len(named) > 1:
        raise UsageError(
            f"the file mixes the campaigns {', '.join(sorted(named))}", where=str(path), hint="import them one by one"
        )
    campaign = campaigns.find(connection, name or next(iter(named), None))
    if named - {campaign.campaign}:
        raise UsageError(
            f"the file belongs to the campaign '{named.pop()}'",
            where=str(path),
            hint="leave --name away, or correct it",
        )
    if campaign.is_signed:
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off", where=str(path), hint="open another campaign"
        )
    content_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with database.transaction(connection):
        campaigns.hold_current(connection, campaign.campaign)
        items = _items(connection)
        packets = _packets(connection, {items[id_]["reviewer_email"] for id_ in map(_item_id, rows) if id_ in items})
        roles = _roles(connection, campaign.snapshot_id)
        taken = _taken_before(connection, campaign.campaign, content_sha256)
        accepted, problems, blank = _judge(rows, items, packets, roles, campaign.opened_at.date())
        counts = {"new": 0, "changed": 0, "unchanged": 0}
        if not problems or skip_invalid:
            for item_id, decision in accepted.items():
                item = items[item_id]
                before = _held(item)
                # An old file that comes again does not undo what was decided after it.
                stands = before == decision or item_id in taken
                state = "unchanged" if stands else "changed" if before else "new"
                counts[state] += 1
                if state != "unchanged":
                    connection.execute(
                        "insert into review.decisions "
                        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, $11, $12, $13)",
                        [
                            *(campaign.campaign, item_id, (item["sequence"] or 0) + 1),
                            *astuple(decision),
                            *(item["reviewer_email"], now, path.name, content_sha256),
                        ],
                    )
    return Imported(campaign.campaign, **counts, blank=blank, problems=tuple(problems), notes=tuple(notes))


def _is_answer(row: Row) -> bool:
    """Tell whether a row is about an item, or meant to be: a total or a note below the table is not."""
    decision = row.text("decision").lower()
    is_meant = decision in DECISIONS or bool(decision and row.text("who") and row.text("access"))
    return bool(row.text("item_id")) or is_meant


def _items(connection: Connection) -> dict[str, dict[str, Any]]:
    cursor = connection.execute("select * from current_items")
    names = [column[0] for column in cursor.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["item_id"]: row for row in rows}


def _packets(connection: Connection, reviewers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the row of each item in the packet that its reviewer was given."""
    return {
        facts.item_id_of(row["item_id"]): row
        for reviewer in sorted(reviewers)
        for row in campaigns.rows(connection, "packet", reviewer=reviewer)
    }


def _taken_before(connection: Connection, campaign: str, content_sha256: str) -> set[str]:
    """Return the items that got a decision from a file with the same content."""
    found = connection.execute(
        "select item_id from review.decisions where campaign = $campaign and file_sha256 = $content_sha256",
        {"campaign": campaign, "content_sha256": content_sha256},
    ).fetchall()
    return {item_id for (item_id,) in found}


def _roles(connection: Connection, snapshot_id: str) -> set[tuple[str, str]]:
    """Return (source, name) of every role there is, by the name of the API and the one that people see."""
    found = connection.execute(
        """
        select source, lower(role_name) from history.roles where snapshot_id = $id and role_name is not null
        union
        select source, lower(role_display_name) from history.roles
        where snapshot_id = $id and role_display_name is not null
        """,
        {"id": snapshot_id},
    ).fetchall()
    return {(source, role) for source, role in found}


def _held(item: Mapping[str, Any]) -> _Decision | None:
    if item["decision"] is None:
        return None
    return _Decision(
        item["decision"],
        item["reason"],
        item["target_role"],
        item["defer_until"],
        item["approver"],
        item["expires_on"],
    )


def _judge(
    rows: Sequence[Row],
    items: Mapping[str, Mapping[str, Any]],
    packets: Mapping[str, Mapping[str, Any]],
    roles: set[tuple[str, str]],
    opened_on: date,
) -> tuple[dict[str, _Decision], list[CellProblem], int]:
    """Return the decisions that can be imported, every problem in the order of the file, and the rows left blank."""
    accepted: dict[str, _Decision] = {}
    problems: list[CellProblem] = []
    seen: dict[str, int] = {}
    blank = 0
    sender = _sender(rows, items)
    for row in rows:
        item_id = _item_id(row)
        if not row.text("decision") and not (item_id and any(row.text(name) for name in ANSWERS)):
            blank += bool(item_id)  # a title or a total below the table is nobody's decision
            continue
        found = list(_problems(row, items.get(item_id), sender, roles, opened_on))
        # One is enough to find the row by: a row that slid by one differs in every cell.
        differing = facts.differing(row, packets.get(item_id, {}))
        found += [CellProblem(cell.place, what) for cell, what in itertools.islice(differing, 1)]
        if item_id in seen:
            found.append(CellProblem(row.place("item_id"), f"the item stands in row {seen[item_id]} already"))
        seen.setdefault(item_id, row.number)
        if found:
            problems += [CellProblem(f"row {row.number}, {each.place}", each.text) for each in found]
            accepted.pop(item_id, None)
            continue
        accepted[item_id] = _Decision(
            row.text("decision").lower(),
            row.text("reason") or None,
            row.text("target_role") or None,
            to_date(row.cells["defer_until"]) if "defer_until" in row.cells else None,
            _approver(row),
            to_date(row.cells["expires_on"]) if "expires_on" in row.cells else None,
        )
    return accepted, problems, blank


def _sender(rows: Sequence[Row], items: Mapping[str, Mapping[str, Any]]) -> str:
    """Return whose packet the rows without a reviewer are: the first one named, else whose the first item is.

    So a file that lost that column cannot decide for several people at once.
    """
    named = (row.text("reviewer") for row in rows)
    given = (items[id_]["reviewer_email"] for id_ in map(_item_id, rows) if id_ in items)
    return str(next(filter(None, named), None) or next(given, "")).lower()


def _item_id(row: Row) -> str:
    return facts.item_id_of(row.text("item_id"))


def _approver(row: Row) -> str | None:
    """Return who approved, as an address where it is one: only an exception must have one."""
    try:
        return read_address(row.text("approver"))
    except AddressError:
        return row.text("approver") or None


#: The decision that a further answer belongs to.
_GOES_WITH = {"target_role": "reduce", "defer_until": "defer", "approver": "exception", "expires_on": "exception"}


def _problems(
    row: Row, item: Mapping[str, Any] | None, sender: str, roles: set[tuple[str, str]], opened_on: date
) -> Iterator[CellProblem]:
    decision = row.text("decision").lower()
    if item is None:
        yield CellProblem(row.place("item_id"), f"'{row.text('item_id')}' is no item of this campaign")
        return
    reviewer = row.text("reviewer").lower() or sender
    if reviewer != item["reviewer_email"].lower():
        yield CellProblem(
            row.place("reviewer"), f"this item was given to {item['reviewer_email']}, not to {reviewer}"
        )
    if decision not in DECISIONS:
        said = f"'{row.text('decision')}' is no decision" if decision else "there is no decision"
        yield CellProblem(row.place("decision"), f"{said}: write {', '.join(DECISIONS)}")
        return
    if item["is_high_risk"] and decision in {"keep", "remove", "reduce"} and not row.text("reason"):
        yield CellProblem(row.place("reason"), f"a row of high risk needs a reason to {decision}")
    if decision == "reduce":
        if item["entitlement_type"] != "role":
            yield CellProblem(row.place("decision"), "a group can be kept or removed, only a role can be reduced")
        elif (item["source"], row.text("target_role").lower()) not in roles:
            yield CellProblem(row.place("target_role"), f"'{row.text('target_role')}' is no role of {item['source']}")
    if decision == "exception":
        try:
            if read_address(row.text("approver")).lower() == str(item["email"]).lower():
                yield CellProblem(row.place("approver"), "nobody approves an exception for themselves")
        except AddressError as error:
            said = f"{error}: " if row.text("approver") else ""
            yield CellProblem(
                row.place("approver"), f"{said}an exception names the e-mail address of who approved it"
            )
    for name, goes_with in _GOES_WITH.items():
        if decision != goes_with and row.text(name):
            yield CellProblem(
                row.place(name), f"this goes with {goes_with}, the decision is {decision}: change one of them"
            )
    for name, needed_by in (("defer_until", "defer"), ("expires_on", "exception")):
        try:
            day = to_date(row.cells[name]) if name in row.cells else None
        except AmbiguousDateError as error:
            yield CellProblem(row.place(name), str(error))
            continue
        if decision == needed_by and day is None:
            yield CellProblem(row.place(name), f"{needed_by} needs a day, as 2026-12-31")
        elif decision == needed_by and day is not None and day <= opened_on:
            yield CellProblem(row.place(name), f"{day} is not after the day the campaign was opened")
