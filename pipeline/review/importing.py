"""Import of decisions: a returned packet is checked as a whole, and imported as a whole or not at all."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import GateError, UsageError
from pipeline.review import answers, facts, syncing
from pipeline.review import campaign as campaigns
from pipeline.review.answers import ANSWERS, DECISIONS, Answer, AnswerProblem
from pipeline.review.campaign import Campaign
from pipeline.review.returned import AmbiguousDateError, Row, read, to_date
from pipeline.review.store import ReviewStore, file_decision
from pipeline.review.store.connections import statement
from pipeline.typed import cleaned
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection

__all__ = ["CellProblem", "Imported", "ReplacedDecision", "import_file"]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A mistake in a returned file: its place, as ``row 7, C7``, and a description."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class _Item:
    """What the rules of an answer need to know of an assigned item, and the answer that it has."""

    source: str
    entitlement_type: str
    name: str
    email: str | None
    is_high_risk: bool
    reviewer_email: str
    held: Answer | None
    whose: str = ""
    method: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReplacedDecision:
    """A decision of the page that a file replaced; ``item`` names the person and the access, the time is UTC."""

    item: str
    was: str
    decided_at: datetime | None
    now: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of one file: its new, changed and unchanged decisions, and its blank rows.

    ``left_out`` are the rows that were not imported, ``replaced`` the decisions of the page that hold no longer.
    ``notes`` name the sheets of a workbook that were not read.
    """

    campaign: str
    new: int
    changed: int
    unchanged: int
    blank: int
    problems: tuple[CellProblem, ...]
    notes: tuple[str, ...] = ()
    left_out: int = 0
    replaced: tuple[ReplacedDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class _Packet:
    """The state of a campaign that returned rows are checked against.

    ``items`` are the assigned items by id, ``facts`` the rows of the packets that were handed out, also by item id.
    ``ranks`` are those of all roles.
    """

    items: Mapping[str, _Item]
    facts: Mapping[str, Mapping[str, Any]]
    ranks: answers.Ranks
    opened_on: date


@dataclass(frozen=True, slots=True)
class _Checked:
    """Checked rows: the decisions that can be imported by item id, all problems in file order, and other rows.

    ``wrong`` are the rows that cannot be imported.
    """

    decisions: Mapping[str, Answer]
    problems: tuple[CellProblem, ...]
    blank: int
    wrong: int


def import_file(
    connection: Connection,
    path: Path,
    *,
    name: str | None,
    now: datetime,
    store_of: Callable[[str], ReviewStore | None] = lambda _: None,
    skip_invalid: bool = False,
) -> Imported:
    """Import one returned packet in one transaction.

    A file with problems is not imported; with ``skip_invalid``, its rows without a problem are. Importing a file
    again changes nothing. A changed decision keeps the earlier one in the table.

    ``store_of`` returns the store of a campaign, or None if it has no page. Decisions on the page come before those
    of the file, which appear on the page.

    Raises:
        UsageError: the file cannot be read, or its campaign is not clear.
        GateError: the campaign is signed off.
    """
    notes: list[str] = []
    rows = [row for row in read(path, notes.append) if _is_answer(row)]
    campaign = _campaign_of(connection, rows, path, name).campaign
    store = store_of(campaign)
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    with (
        closing(store) if store is not None else nullcontext(),
        database.transaction(connection),
        syncing.synchronized(connection, campaign, store, now) as (held, _),
    ):
        packet = _packet(connection, campaigns.find(connection, campaign), rows)
        content_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        imported_before = _imported_before(connection, campaign, content_sha256)
        checked = _check(rows, packet)
        accepted = {} if checked.problems and not skip_invalid else checked.decisions
        added: list[dict[str, Any]] = []
        for item_id, answer in accepted.items():
            item = packet.items[item_id]
            # Importing an old file again must not undo later decisions.
            is_unchanged = item.held == answer or item_id in imported_before
            counts["unchanged" if is_unchanged else "changed" if item.held else "new"] += 1
            if not is_unchanged:
                added.append(file_decision(item_id, answer, item.reviewer_email, (path.name, content_sha256), now))
        if held is not None:
            held.executemany(statement("decide"), added)
        syncing.add_decisions(connection, campaign, [{**row, "sequence": 1} for row in added], now)
    return Imported(
        campaign,
        **counts,
        blank=checked.blank,
        problems=checked.problems,
        notes=tuple(notes),
        left_out=checked.wrong + len(checked.decisions) - len(accepted),
        replaced=tuple(_replaced(packet, [row["item_id"] for row in added], accepted)),
    )


def _replaced(packet: _Packet, changed: Iterable[str], accepted: Mapping[str, Answer]) -> Iterator[ReplacedDecision]:
    """Yield the decisions of the page that these items had before."""
    for item_id in changed:
        item = packet.items[item_id]
        if item.held and item.method != "file":
            yield ReplacedDecision(item.whose, item.held.decision, item.decided_at, accepted[item_id].decision)


def _campaign_of(connection: Connection, rows: Sequence[Row], path: Path, name: str | None) -> Campaign:
    named = {facts.campaign_of(row.text("campaign")) for row in rows if row.text("item_id")} - {""}
    if len(named) > 1:
        raise UsageError(
            f"the file mixes the campaigns {', '.join(sorted(named))}",
            where=str(path),
            hint="split the file, and import one campaign at a time",
        )
    campaign = campaigns.find(connection, name or next(iter(named), None))
    if named - {campaign.campaign}:
        raise UsageError(
            f"the file belongs to the campaign '{named.pop()}'",
            where=str(path),
            hint="remove or correct --name",
        )
    if campaign.is_signed:
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off", where=str(path), hint="open another campaign"
        )
    return campaign


def _is_answer(row: Row) -> bool:
    """Return whether a row is about an item, or meant to be. A total or a note below the table is not."""
    decision = row.text("decision").lower()
    is_meant = decision in DECISIONS or bool(decision and row.text("who") and row.text("access"))
    return bool(row.text("item_id")) or is_meant


def _packet(connection: Connection, campaign: Campaign, rows: Sequence[Row]) -> _Packet:
    assigned = "select * from review.assigned_items($campaign)"
    cursor = connection.execute(assigned, {"campaign": campaign.campaign})
    names = [column[0] for column in cursor.description or []]
    items = {row["item_id"]: _item(row) for row in (dict(zip(names, row, strict=True)) for row in cursor.fetchall())}
    reviewers = {items[item_id].reviewer_email for item_id in map(_item_id, rows) if item_id in items}
    roles = campaigns.rows(connection, "roles", snapshot_id=campaign.snapshot_id)
    return _Packet(
        items,
        _packet_facts(connection, campaign.campaign, reviewers),
        {(row["source"], row["role"]): row["rank"] for row in roles},
        campaign.opened_at.date(),
    )


def _item(row: Mapping[str, Any]) -> _Item:
    held = Answer(**{field: row[field] for field in ANSWERS}) if row["decision"] else None
    return _Item(
        row["source"],
        row["entitlement_type"],
        row["entitlement_name"] or row["entitlement_id"],
        row["email"],
        row["is_high_risk"],
        row["reviewer_email"],
        held,
        f"{row['display_name'] or row['user_name'] or row['account_id']} - {row['entitlement_name']}",
        row["method"],
        row["decided_at"],
    )


def _packet_facts(connection: Connection, campaign: str, reviewers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the packet rows of these reviewers, by item id."""
    return {
        facts.item_id_of(row["item_id"]): row
        for reviewer in sorted(reviewers)
        for row in campaigns.rows(connection, "packet", campaign=campaign, reviewer=reviewer)
    }


def _imported_before(connection: Connection, campaign: str, content_sha256: str) -> set[str]:
    """Return the items with a decision from a file with the same content."""
    found = connection.execute(
        "select item_id from review.decisions where campaign = $campaign and file_sha256 = $content_sha256",
        {"campaign": campaign, "content_sha256": content_sha256},
    ).fetchall()
    return {item_id for (item_id,) in found}


def _check(rows: Sequence[Row], packet: _Packet) -> _Checked:
    decisions: dict[str, Answer] = {}
    problems: list[CellProblem] = []
    first_rows: dict[str, int] = {}
    blank = wrong = 0
    sender = _sender(rows, packet.items)
    for row in rows:
        item_id = _item_id(row)
        if not row.text("decision") and not (item_id and any(row.text(name) for name in ANSWERS)):
            blank += bool(item_id)  # a title or a total below the table is not a blank decision
            continue
        found = list(_problems(row, packet.items.get(item_id), sender, packet))
        # One differing cell is enough: a row that was shifted by one differs in every cell.
        differing = facts.differing(row, packet.facts.get(item_id, {}))
        found += [CellProblem(cell.place, text) for cell, text in itertools.islice(differing, 1)]
        if item_id in first_rows:
            found.append(CellProblem(row.place("item_id"), f"the same item is in row {first_rows[item_id]}"))
        first_rows.setdefault(item_id, row.number)
        if found:
            wrong += 1
            problems += [CellProblem(f"row {row.number}, {each.place}", each.text) for each in found]
            decisions.pop(item_id, None)
            continue
        decisions[item_id], _ = _answer(row)
    return _Checked(decisions, tuple(problems), blank, wrong)


def _sender(rows: Sequence[Row], items: Mapping[str, _Item]) -> str:
    """Return the reviewer of rows that name none: the first one named in the file, else that of its first item.

    A file that lost its reviewer column can therefore not decide for several people at once.
    """
    named = (row.text("reviewer") for row in rows)
    given = (items[id_].reviewer_email for id_ in map(_item_id, rows) if id_ in items)
    return str(next(filter(None, named), None) or next(given, "")).lower()


def _item_id(row: Row) -> str:
    return facts.item_id_of(row.text("item_id"))


def _problems(row: Row, item: _Item | None, sender: str, packet: _Packet) -> Iterator[CellProblem]:
    if item is None:
        yield CellProblem(row.place("item_id"), f"'{row.text('item_id')}' is not an item of this campaign")
        return
    reviewer = row.text("reviewer").lower() or sender
    if reviewer != item.reviewer_email.lower():
        text = f"this item is assigned to {item.reviewer_email}, not to {reviewer}"
        yield CellProblem(row.place("reviewer"), text)
    answer, unreadable = _answer(row)
    found = [*answers.problems(answer, item, packet.ranks, packet.opened_on), *unreadable]
    unread = {problem.field for problem in unreadable}
    for problem in found:
        if problem.field not in unread or problem in unreadable:  # a date that cannot be read is not a missing one
            yield CellProblem(row.place(problem.field), problem.text)


def _answer(row: Row) -> tuple[Answer, list[AnswerProblem]]:
    """Return the answer in a row, and its dates that cannot be read."""
    days: dict[str, date | None] = {}
    unreadable: list[AnswerProblem] = []
    for field in ("defer_until", "expires_on"):
        try:
            days[field] = to_date(row.cells[field]) if field in row.cells else None
        except AmbiguousDateError as error:
            days[field] = None
            unreadable.append(AnswerProblem(field, str(error)))
    answer = Answer(
        row.text("decision").lower(),
        cleaned(row.text("reason")) or None,
        row.text("target_role") or None,
        days["defer_until"],
        answers.read_approver(row.text("approver")),
        days["expires_on"],
    )
    return answer, unreadable
