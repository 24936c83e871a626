"""Makes the store of a campaign from the database, once; from then on the page does not need the database."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.atomic import replace_file
from pipeline.errors import RenderError
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.review.store.connections import as_text, create, statement
from pipeline.review.store.reading import as_searched
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["make_store"]


def make_store(connection: Connection, campaign: Campaign, path: Path) -> None:
    """Make the store of a campaign at ``path``, with the decisions that were imported so far; leave an existing one.

    A process that is killed leaves no store, and of two at once one makes it. Only the owner can read the file.

    Raises:
        RenderError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not path.exists():
                with replace_file(path, mode=0o600) as draft:
                    _fill(connection, campaign, draft)
        finally:
            os.close(folder)
    except (OSError, sqlite3.Error) as error:
        raise RenderError(
            f"the page of the campaign cannot be prepared: {error}",
            where=str(path),
            hint="check the folder, its permissions and the free space",
        ) from error


def _fill(connection: Connection, campaign: Campaign, path: Path) -> None:
    name = campaign.campaign
    addresses = saved.statement("review", "person_addresses")
    connection.execute(f"create or replace temp table person_addresses as {addresses}")
    with closing(create(path)) as store:
        _insert(store, "campaign", campaigns.rows(connection, "store_campaign", campaign=name))
        _insert(store, "roles", campaigns.rows(connection, "store_roles", snapshot_id=campaign.snapshot_id))
        cards = campaigns.rows(connection, "store_cards", campaign=name)
        _insert(store, "cards", [{**card, "searched": as_searched(card["searched"])} for card in cards])
        _insert(store, "items", campaigns.rows(connection, "store_items", campaign=name))
        _insert(store, "ineligible", campaigns.rows(connection, "store_ineligible", campaign=name))
        for row in campaigns.rows(connection, "store_decisions", campaign=name):
            values = {column: _stored(value) for column, value in row.items()}
            store.execute(statement("decide"), {**values, "action_id": row["decision_id"]})
        for row in campaigns.rows(connection, "store_reassignments", campaign=name):
            store.execute(statement("reassign"), {column: _stored(value) for column, value in row.items()})
        _insert(store, "mails", campaigns.rows(connection, "store_mails", campaign=name))
        store.execute("commit")
        store.execute("pragma wal_checkpoint(truncate)")


def _insert(store: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        columns = ", ".join(rows[0])
        places = ", ".join(f"${column}" for column in rows[0])
        values = [{column: _stored(value) for column, value in row.items()} for row in rows]
        store.executemany(f"insert into {table} ({columns}) values ({places})", values)


def _stored(value: Any) -> Any:
    """Return a value as the store keeps it: times and days as text."""
    if isinstance(value, datetime):
        return as_text(value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else value
